"""Keys that are no secret: too short, made of little, or known to everybody."""

import base64
import binascii

SHORTEST = 32  # characters; RFC 7518 asks for as many bytes as the hash has
FEWEST_DIFFERENT = 8
FEWEST_DIFFERENT_BYTES = 16  # of 32; chance leaves some 30
WELL_KNOWN = (
    *("0123456789", "1234567890", "abcdefgh", "changeme", "change-me", "change_me", "default", "example", "insecure"),
    *("notsecret", "password", "placeholder", "qwerty", "replace", "secret", "your-key", "your_key"),
)
WELL_KNOWN_PASSWORDS = frozenset(
    (
        "admin",
        "kyalo",
        "minioadmin",
        "postgres",
        "postgresql",
        "root",
        "test",
        "changeme",
        "secret",
        "password",
        "123456",
    )
)


def weakness_of_key(key: str) -> str | None:
    """Why a key should not be used, as the rest of a sentence; None where nothing is against it."""
    if len(key) < SHORTEST:
        return f"has less than {SHORTEST} characters"
    if len(set(key)) < FEWEST_DIFFERENT or key in (key + key)[1:-1]:
        return "repeats itself"
    word = next((word for word in WELL_KNOWN if word in key.lower()), None)
    return f"holds the well-known word {word!r}" if word else None


def weakness_of_encryption_key(key: str) -> str | None:
    """The same of a key of Fernet: what counts is the 32 bytes that it stands for."""
    try:
        content = base64.urlsafe_b64decode(key)
    except (binascii.Error, ValueError):
        return None  # it is no key at all, which is told elsewhere
    if len(set(content)) < FEWEST_DIFFERENT_BYTES:
        return "repeats itself"
    return weakness_of_key(content.decode("ascii")) if content.isascii() else None


def weakness_of_password(password: str) -> str | None:
    """Why a password of the database should not be used, as the rest of a sentence."""
    return "is one that everybody tries" if password.lower() in WELL_KNOWN_PASSWORDS else None
