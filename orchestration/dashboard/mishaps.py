"""What is shown where a page cannot be: a way to sign in, or what is wrong and what to do."""

from urllib.parse import quote

import psycopg
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from orchestration.dashboard.access import HOME
from orchestration.dashboard.rendering import render
from orchestration.dashboard.security import HEADERS
from warehouse.audit import note
from warehouse.errors import KyaloError, Transient
from warehouse.logs import get_logger

logger = get_logger(__name__)
NOT_SIGNED_IN = "dashboard.not_signed_in"


def install_mishap_pages(app: FastAPI) -> None:
    """Show every error as a page."""
    app.add_exception_handler(KyaloError, _show_kyalo_error)
    app.add_exception_handler(HTTPException, _show_http_error)
    app.add_exception_handler(RequestValidationError, _show_invalid_request)
    app.add_exception_handler(psycopg.errors.UndefinedTable, _show_unbuilt)
    app.add_exception_handler(psycopg.errors.UndefinedColumn, _show_unbuilt)
    app.add_exception_handler(Exception, _show_unexpected)


def _show_kyalo_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, KyaloError)  # noqa: S101 - registered for this class only
    note(code=error.error_code)
    if error.error_code == NOT_SIGNED_IN and request.method == "GET":
        place = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"{HOME}/sign-in?to={quote(place, safe='')}", 303)
    status = type(error).http_status
    if status >= 500:
        logger.warning("a page failed", code=error.error_code, path=request.url.path, problem=str(error))
    title = "Not now" if isinstance(error, Transient) else "That did not work"
    return _show(request, status, title, error.message, error.remedy, error.error_code)


def _show_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    if error.status_code == 404:
        return _show(request, 404, "No such page", "There is nothing at this address.", "", "dashboard.no_such_page")
    return _show(request, error.status_code, "That did not work", str(error.detail), "", "request.bad_form")


def _show_invalid_request(request: Request, _error: Exception) -> Response:
    return _show(
        request, 422, "That did not work", "The address or the form holds what cannot be.", "", "request.invalid"
    )


def _show_unbuilt(request: Request, error: Exception) -> Response:
    logger.warning("a page failed", path=request.url.path, problem=str(error))
    remedy = "`kyalo run` builds what this page shows."
    return _show(
        request, 503, "Not built yet", "What this page shows has not been built.", remedy, "dashboard.not_built"
    )


def _show_unexpected(request: Request, _error: Exception) -> Response:
    answer = _show(
        request, 500, "Something went wrong", "It should not have; the log tells more.", "", "internal.error"
    )
    answer.headers.update(HEADERS)  # it is answered outside of what gives them to all others
    return answer


def _show(request: Request, status: int, title: str, message: str, remedy: str, code: str) -> Response:
    note(code=code)
    return render(request, "mishap", status=status, title=title, message=message, remedy=remedy, code=code)
