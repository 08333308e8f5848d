"""Signing in and out."""

import hmac
import secrets
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from orchestration.dashboard.access import (
    COOKIE,
    FORM_COOKIE,
    HOME,
    Reviewing,
    check_origin,
    keep_cookie,
    safe_place,
)
from orchestration.dashboard.rendering import render
from orchestration.dashboard.session import SignIns, foreign_form
from warehouse.audit import note
from warehouse.errors import ForbiddenError, TooManyRequestsError, UnauthenticatedError

FORM_SECONDS = 3600
router = APIRouter()


@router.get(f"{HOME}/sign-in")
def show_sign_in(request: Request, to: str = HOME) -> Response:
    """The form that asks who is there."""
    return _ask(request, to)


@router.post(f"{HOME}/sign-in")
def sign_in(
    request: Request,
    name: Annotated[str, Form(max_length=100)] = "",
    secret: Annotated[str, Form(max_length=1000)] = "",
    form_word: Annotated[str, Form()] = "",
    to: Annotated[str, Form()] = HOME,
) -> Response:
    """Sign somebody in, or say why not."""
    check_origin(request)
    given = request.cookies.get(FORM_COOKIE, "")
    if not given or not hmac.compare_digest(given.encode(), form_word.encode()):
        raise foreign_form()
    sign_ins: SignIns = request.app.state.sign_ins
    try:
        token = sign_ins.sign_in(name, secret, request.client.host if request.client else None)
    except (UnauthenticatedError, ForbiddenError, TooManyRequestsError) as error:
        note(code=error.error_code)
        return _ask(request, to, problem=error.message, status=type(error).http_status)
    note(actor=name)
    response = RedirectResponse(safe_place(to), 303)
    keep_cookie(request, response, COOKIE, token, sign_ins.seconds)
    return response


@router.post(f"{HOME}/sign-out")
def sign_out(_session: Reviewing) -> Response:
    """Forget who was there."""
    response = RedirectResponse(f"{HOME}/sign-in", 303)
    response.delete_cookie(COOKIE, path=HOME)
    return response


def _ask(request: Request, to: str, *, problem: str = "", status: int = 200) -> Response:
    word = secrets.token_urlsafe(24)
    page = render(request, "sign_in", status=status, to=safe_place(to), problem=problem, form_word=word)
    keep_cookie(request, page, FORM_COOKIE, word, FORM_SECONDS)
    return page
