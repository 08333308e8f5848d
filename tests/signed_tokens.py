"""Tokens that say what a test likes, signed with whatever key it has."""

import base64
import hmac
import json


def encode(part: object) -> str:
    """A part of a token as it is written."""
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def sign(header: dict[str, object], claims: object, key: bytes, digest: str = "sha256") -> str:
    """A token that says what it likes, signed as HMAC with any key, an empty one too."""
    signed = f"{encode(header)}.{encode(claims)}"
    return f"{signed}.{encode(hmac.digest(key, signed.encode(), digest))}"
