"""What the pages ask of a request: who is signed in, and that a form was given to them."""

from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Form, Request, Response

from orchestration.dashboard.reading import MARTS, TOLD_TO_ANALYSTS, Reading, reading
from orchestration.dashboard.session import Session, SignIns, foreign_form
from warehouse.audit import note

COOKIE = "kyalo_session"
FORM_COOKIE = "kyalo_form"
HOME = "/dashboard"


def signed_in(request: Request) -> Session:
    """Who asks.

    Raises:
        UnauthenticatedError: nobody is signed in.
    """
    sign_ins: SignIns = request.app.state.sign_ins
    session = sign_ins.recognise(request.cookies.get(COOKIE))
    request.state.session = session
    note(actor=session.client.name)
    return session


def reviewing(
    request: Request, session: Annotated[Session, Depends(signed_in)], form_word: Annotated[str, Form()] = ""
) -> Session:
    """Who sends a form that was given to them; whether they may do what it says is for the API to judge.

    Raises:
        UnauthenticatedError: nobody is signed in.
        RefusedRequestError: the form came from elsewhere.
    """
    check_origin(request)
    session.check_form(form_word)
    return session


def marts_for(session: Session) -> str:
    """Where somebody's reports are read from: who may not see households is told of no few of them either."""
    return MARTS if session.sees_households else TOLD_TO_ANALYSTS


def read(request: Request, session: Annotated[Session, Depends(signed_in)]) -> Iterator[Reading]:
    """A reading for who is signed in."""
    with reading(request.app.state.reader, marts_for(session)) as opened:
        yield opened


SignedIn = Annotated[Session, Depends(signed_in)]
Reviewing = Annotated[Session, Depends(reviewing)]
Read = Annotated[Reading, Depends(read)]


def check_origin(request: Request) -> None:
    """Let a form in that a page of this very site sends.

    Raises:
        RefusedRequestError: another site sends it.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site not in {None, "same-origin", "none"}:
        raise foreign_form()
    if origin and urlsplit(origin).netloc != request.headers.get("host"):
        raise foreign_form()


def keep_cookie(request: Request, response: Response, name: str, value: str, seconds: int) -> None:
    """Give the browser a cookie that no script sees and that goes to no other site."""
    response.set_cookie(
        name, value, max_age=seconds, path=HOME, secure=request.url.scheme == "https", httponly=True, samesite="strict"
    )


def safe_place(place: str) -> str:
    """Where to go after signing in: a page of the dashboard, whatever the address says."""
    is_ours = place == HOME or place.startswith((f"{HOME}/", f"{HOME}?"))
    return place if is_ours and "\\" not in place and place.isprintable() else HOME
