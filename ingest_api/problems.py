"""Errors as the API tells them: problem+json (RFC 9457) with a code from one list, never a traceback."""

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.routing import Match

from warehouse.audit import note
from warehouse.error_codes import MEANINGS
from warehouse.errors import KyaloError, Transient
from warehouse.logs import get_logger

logger = get_logger(__name__)
RETRY_SECONDS = 5
METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
HTTP_CODES = {
    400: "request.bad_form",
    404: "request.no_such_route",
    405: "request.wrong_method",
    413: "request.too_large",
    415: "request.wrong_content_type",
}


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
    """The response that carries a problem; the audit is told its code."""
    note(code=problem.code)
    return JSONResponse(problem.model_dump(), problem.status, headers, media_type="application/problem+json")


def problem_of(request: Request, error: KyaloError) -> tuple[Problem, dict[str, str]]:
    """What a client is told of an error, and the headers that go with it; what failed here goes to the log."""
    status, detail, remedy = type(error).http_status, error.message, error.remedy
    note(code=error.error_code)
    if status >= 500:
        # What we cannot do may name hosts, users and paths: that is for the operator alone.
        logger.warning("a request failed here", code=error.error_code, path=request.url.path, problem=str(error))
        detail, remedy = MEANINGS.get(error.error_code, "Something does not work here."), ""
    title = "Try again later" if isinstance(error, Transient) else "Not accepted"
    problem = Problem(title=title, status=status, code=error.error_code, detail=detail, remedy=remedy)
    return problem, _headers(error)


def _tell_kyalo_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, KyaloError)  # noqa: S101 - registered for this class only
    return answer(*problem_of(request, error))


def _headers(error: KyaloError) -> dict[str, str]:
    if isinstance(error, Transient):
        return {"Retry-After": str(error.facts.get("retry_seconds", RETRY_SECONDS))}
    challenge = error.facts.get("challenge")
    return {"WWW-Authenticate": str(challenge)} if challenge else {}


def _tell_invalid_request(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class only
    places = (f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
    detail = "; ".join(places).encode("utf-8", "replace").decode()
    return answer(Problem(title="Not accepted", status=422, code="request.invalid", detail=detail))


def _tell_http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    code = HTTP_CODES.get(error.status_code, "request.invalid")
    problem = Problem(title="Not accepted", status=error.status_code, code=code, detail=str(error.detail))
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_methods_at(request))
    return answer(problem, headers)


def _methods_at(request: Request) -> list[str]:
    """What an address takes by any of its routes; the framework names those of the first one."""
    asked = {method: {**request.scope, "method": method} for method in METHODS}
    routes = request.app.routes
    return [method for method, scope in asked.items() if any(route.matches(scope)[0] is Match.FULL for route in routes)]


def _tell_bad_value(_request: Request, error: Exception) -> JSONResponse:
    detail = f"A value cannot be kept: {str(error).splitlines()[0]}."
    return answer(Problem(title="Not accepted", status=422, code="request.bad_value", detail=detail))


def _tell_unexpected(request: Request, error: Exception) -> JSONResponse:
    logger.error("a request met an unexpected error", path=request.url.path, exc_info=error)
    detail = "Something went wrong here; the survey was not stored. It stands in the log."
    return answer(Problem(title="Internal error", status=500, code="internal.error", detail=detail))
