"""Access tokens: JSON Web Tokens that say who a client is, signed with a key that has a name."""

import time
from dataclasses import dataclass

import jwt

from ingest_api.auth.clients import Client
from ingest_api.auth.keys import SigningKeys
from warehouse.errors import UnauthenticatedError

ALGORITHM = "HS256"
ISSUER = "kyalo"
AUDIENCE = "kyalo-api"
REQUIRED = ["exp", "iat", "iss", "aud", "sub", "role", "generation"]
CHALLENGE = 'Bearer realm="kyalo", error="invalid_token"'


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says.

    Attributes:
        name: the client.
        generation: of its secret, when the token was issued.
        expires_at: seconds since 1970.
    """

    name: str
    generation: int
    expires_at: float


def issue_token(keys: SigningKeys, client: Client, seconds: int) -> str:
    """A token for a client that holds for so many seconds."""
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": client.name,
        "role": client.role,
        "generation": client.generation,
        "iat": now,
        "exp": now + seconds,
    }
    return jwt.encode(claims, keys.signing_key, ALGORITHM, headers={"kid": keys.current})


def verify_token(keys: SigningKeys, token: bytes) -> Claims:
    """What a token says, once its signature, its times and its parties are verified.

    Raises:
        UnauthenticatedError: it is not to be believed.
    """
    try:
        key = keys.by_name[str(jwt.get_unverified_header(token).get("kid"))]
        claims = jwt.decode(
            token, key, [ALGORITHM], audience=AUDIENCE, issuer=ISSUER, options={"require": REQUIRED, "verify_iat": True}
        )
        return Claims(str(claims["sub"]), int(claims["generation"]), float(claims["exp"]))
    except jwt.ExpiredSignatureError as error:
        raise refuse_token("The token has expired.", "auth.token_expired") from error
    except (jwt.InvalidTokenError, KeyError, ValueError, TypeError, RecursionError) as error:
        raise refuse_token("The token is none of ours.", "auth.bad_token") from error


def refuse_token(message: str, code: str) -> UnauthenticatedError:
    """The error that a bad token is answered with."""
    return UnauthenticatedError(
        message, code=code, remedy="POST /api/v1/auth/token gives a new one.", challenge=CHALLENGE
    )
