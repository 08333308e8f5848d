"""The keys that sign access tokens: the present one and those that are retired but still believed."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from warehouse.embedded.server import make_folder
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
    """The key in a file of the owner's; of several processes that make it at once, one wins."""
    if not path.exists():
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        make_folder(path.parent)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(KEY_BYTES))
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    key = path.read_text().strip()
    if len(key) < SHORTEST_KEY:
        raise ConfigurationError(
            f"{path} holds no key of {SHORTEST_KEY} characters.",
            code="configuration.bad_key",
            remedy="Delete the file: a new key is made, and every client signs in again.",
        )
    return key
