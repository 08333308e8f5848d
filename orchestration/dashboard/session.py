"""Who is signed in: a signed token in a cookie, and a word of its own in every form."""

import hmac
import secrets
import threading
import time
from dataclasses import dataclass

import jwt
from psycopg.rows import class_row

from ingest_api.auth.clients import Client, verify_secret
from ingest_api.auth.keys import SigningKeys, load_keys
from ingest_api.auth.rates import LoginGuard, address_subject
from ingest_api.auth.tokens import ALGORITHM, ISSUER, issue_token
from warehouse.database import Database, queries
from warehouse.errors import BusyError, ForbiddenError, RefusedRequestError, UnauthenticatedError
from warehouse.settings import Settings

AUDIENCE = "kyalo-dashboard"
REQUIRED = ["exp", "iat", "iss", "aud", "sub", "generation", "form_word"]
API_TOKEN_SECONDS = 60
HASHES_AT_ONCE = 2
PATIENCE_SECONDS = 5.0
LONGEST_SECRET = 1024


@dataclass(frozen=True)
class Session:
    """Somebody who is signed in.

    Attributes:
        form_word: stands in every form that is given to them, so that no other site can send one in their name.
    """

    client: Client
    form_word: str

    @property
    def is_reviewer(self) -> bool:
        """Whether they may decide about the quarantine and acknowledge alerts."""
        return self.client.role in {"office", "admin"}

    @property
    def sees_households(self) -> bool:
        """Whether pages may name households, tell of few of them, and repeat what others wrote: as reviewers need."""
        return self.is_reviewer

    def check_form(self, word: str) -> None:
        """Let a form in that was given to them.

        Raises:
            RefusedRequestError: it was not.
        """
        if not hmac.compare_digest(word.encode(), self.form_word.encode()):
            raise foreign_form()


class SignIns:
    """Signs people in with the names and secrets of the API's clients, and recognises them after.

    Args:
        settings: keys and limits.
        database: where clients are looked up, one at a time.
    """

    def __init__(self, settings: Settings, database: Database) -> None:
        self.seconds = settings.dashboard_session_seconds
        self._keys: SigningKeys = load_keys(settings)
        self._database = database
        self._guard = LoginGuard(settings.login_limit_per_minute)
        self._turn = threading.BoundedSemaphore(HASHES_AT_ONCE)

    def sign_in(self, name: str, secret: str, host: str | None) -> str:
        """A session token for a client; takes some 20 ms.

        Args:
            name: the client's.
            secret: what it offers.
            host: the address that it comes from.

        Raises:
            UnauthenticatedError: one of them is wrong, or the client is revoked.
            ForbiddenError: it is a device.
            TooManyRequestsError: too many attempts have failed.
            BusyError: too many others are signing in.
        """
        client = self._verify(name, secret, address_subject(host))
        if client.role == "device":
            raise ForbiddenError(
                f"{client.name} is a device, which may not look at the dashboard.",
                remedy="Roles that may: analyst, office, admin.",
            )
        return self._issue(client)

    def recognise(self, token: str | None) -> Session:
        """The session of a token.

        Raises:
            UnauthenticatedError: there is none, it has expired, or the client was revoked or has another secret.
        """
        try:
            claims = jwt.decode(
                token or "",
                self._keys.by_name[str(jwt.get_unverified_header(token or "").get("kid"))],
                [ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={"require": REQUIRED},
            )
        except (jwt.InvalidTokenError, KeyError, ValueError, TypeError, RecursionError) as error:
            raise _not_signed_in() from error
        client = self._find(str(claims["sub"]))
        if client is None or client.revoked_at or client.generation != claims["generation"]:
            raise _not_signed_in()
        return Session(client, str(claims["form_word"]))

    def token_for_api(self, session: Session) -> str:
        """An access token with which the API does, for a minute, what the client may do."""
        return issue_token(self._keys, session.client, API_TOKEN_SECONDS)

    def _verify(self, name: str, secret: str, subject: str) -> Client:
        self._guard.check(subject)
        if not self._turn.acquire(timeout=PATIENCE_SECONDS):
            raise BusyError("Too many are signing in at once.", code="auth.busy", remedy="Try again in some seconds.")
        try:
            client = self._find(name)
            matches = len(secret) <= LONGEST_SECRET and verify_secret(client, secret)
        finally:
            self._turn.release()
        if client is None or not matches or client.revoked_at:
            self._guard.note_failure(subject)
            raise UnauthenticatedError(
                "The name or the secret is wrong, or the client was revoked.",
                code="auth.bad_credentials",
                remedy="Check both; `kyalo clients rotate NAME` gives a new secret.",
            )
        return client

    def _find(self, name: str) -> Client | None:
        if "\0" in name:
            return None
        with self._database.transaction() as connection:
            cursor = connection.cursor(row_factory=class_row(Client))
            return cursor.execute(queries("dashboard")["find_client"], {"name": name}).fetchone()

    def _issue(self, client: Client) -> str:
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": client.name,
            "generation": client.generation,
            "form_word": secrets.token_urlsafe(24),
            "iat": now,
            "exp": now + self.seconds,
        }
        return jwt.encode(claims, self._keys.signing_key, ALGORITHM, headers={"kid": self._keys.current})


def foreign_form() -> RefusedRequestError:
    """The error that a form is answered with that was not given to who sends it."""
    return RefusedRequestError(
        "The form is not one that this dashboard gave to you, or not any more.",
        code="dashboard.form_expired",
        remedy="Load the page again, then send it anew.",
    )


def _not_signed_in() -> UnauthenticatedError:
    return UnauthenticatedError("Nobody is signed in.", code="dashboard.not_signed_in", remedy="Sign in.")
