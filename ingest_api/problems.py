"""Errors as the API tells them: problem+json (RFC 9457) with a code from one list, never a traceback."""

import logging

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from warehouse.errors import KyaloError, Transient

logger = logging.getLogger(__name__)
RETRY_SECONDS = "5"
HTTP_CODES = {404: "request.no_such_route", 405: "request.wrong_method", 413: "request.too_large"}


class Problem(BaseModel):
    """What happened, and what to do about it."""

    title: str
    status: int
    code: str
    detail: str
    remedy: str = ""


def install_problem_handlers(app: FastAPI) -> None:
    """Answer every error of the app as a problem."""
    app.add_exception_handler(KyaloError, _tell_kyalo_error)
    app.add_exception_handler(RequestValidationError, _tell_invalid_request)
    app.add_exception_handler(HTTPException, _tell_http_error)
    app.add_exception_handler(psycopg.DataError, _tell_bad_value)
    app.add_exception_handler(Exception, _tell_unexpected)


def answer(problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    """The response that carries a problem."""
    return JSONResponse(problem.model_dump(), problem.status, headers, media_type="application/problem+json")


def _tell_kyalo_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, KyaloError)  # noqa: S101 - registered for this class only
    transient = isinstance(error, Transient)
    problem = Problem(
        title="Try again later" if transient else "Not accepted",
        status=type(error).http_status,
        code=error.error_code,
        detail=error.message,
        remedy=error.remedy,
    )
    return answer(problem, {"Retry-After": RETRY_SECONDS} if transient else None)


def _tell_invalid_request(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class only
    places = (f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
    detail = "; ".join(places).encode("utf-8", "replace").decode()
    return answer(Problem(title="Not accepted", status=422, code="request.invalid", detail=detail))


def _tell_http_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    code = HTTP_CODES.get(error.status_code, "request.invalid")
    problem = Problem(title="Not accepted", status=error.status_code, code=code, detail=str(error.detail))
    return answer(problem, dict(error.headers or {}))


def _tell_bad_value(_request: Request, error: Exception) -> JSONResponse:
    detail = f"A value cannot be kept: {str(error).splitlines()[0]}."
    return answer(Problem(title="Not accepted", status=422, code="request.bad_value", detail=detail))


def _tell_unexpected(request: Request, error: Exception) -> JSONResponse:
    logger.error("unexpected error at %s", request.url.path, exc_info=error)
    detail = "Something went wrong here; the survey was not stored. It stands in the log."
    return answer(Problem(title="Internal error", status=500, code="internal.error", detail=detail))
