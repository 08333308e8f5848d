"""The keys that sign access tokens: the present one and those that are retired but still believed."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from warehouse.crypto.kept import kept_secret
from warehouse.errors import ConfigurationError
from warehouse.settings import Settings

KEY_BYTES = 48
SHORTEST_KEY = 32  # characters; RFC 7518 asks for as many bytes as the hash has


@dataclass(frozen=True)
class SigningKeys:
    """The key that signs, by name, and all that verify.

    Attributes:
        current: name of the key that signs.
        by_name: every key that is believed, the current one too.
    """

    current: str
    by_name: dict[str, str]

    @property
    def signing_key(self) -> str:
        """The key that signs."""
        return self.by_name[self.current]


def load_keys(settings: Settings) -> SigningKeys:
    """The keys that the settings name; without any, one that is made once and kept in the data folder.

    Raises:
        ConfigurationError: a retired key cannot be read.
    """
    key = settings.secret_key.get_secret_value() if settings.secret_key else _kept_key(settings.home / "secret_key")
    entries = settings.secret_keys_retired.get_secret_value().split(",")
    retired = dict(_parse_retired(entry.strip()) for entry in entries if entry.strip())
    return SigningKeys(settings.secret_key_id, {**retired, settings.secret_key_id: key})


def _parse_retired(entry: str) -> tuple[str, str]:
    name, _, key = entry.partition(":")
    if not name or len(key) < SHORTEST_KEY:
        raise ConfigurationError(
            f"SECRET_KEYS_RETIRED must read name:key,name:key, each key with {SHORTEST_KEY} characters or more.",
            code="configuration.bad_key",
        )
    return name, key


def _kept_key(path: Path) -> str:
    key = kept_secret(path, lambda: secrets.token_urlsafe(KEY_BYTES))
    if len(key) < SHORTEST_KEY:
        raise ConfigurationError(
            f"{path} holds no key of {SHORTEST_KEY} characters.",
            code="configuration.bad_key",
            remedy="Delete the file: a new key is made, and every client signs in again.",
        )
    return key
