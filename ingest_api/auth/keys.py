"""The keys that sign access tokens: the present one and those that are retired but still believed."""

import secrets
from dataclasses import dataclass

from warehouse.crypto.kept import stated_or_kept
from warehouse.errors import ConfigurationError
from warehouse.settings import Settings
from warehouse.weak_keys import SHORTEST, weakness_of_key

KEY_BYTES = 48


@dataclass(frozen=True, repr=False)
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
    """The keys that the settings name; without any, and not in production, one that the data folder keeps.

    Raises:
        ConfigurationError: a retired key cannot be used, or there is none in production.
    """
    key = _key(settings)
    entries = settings.secret_keys_retired.get_secret_value().split(",")
    retired = dict(_parse_retired(entry.strip()) for entry in entries if entry.strip())
    return SigningKeys(settings.secret_key_id, {**retired, settings.secret_key_id: key})


def _parse_retired(entry: str) -> tuple[str, str]:
    name, _, key = entry.partition(":")
    weakness = weakness_of_key(key)
    if not name or weakness:
        raise ConfigurationError(
            f"SECRET_KEYS_RETIRED must read name:key,name:key, each key a secret; one {weakness or 'has no name'}.",
            code="configuration.bad_key",
        )
    return name, key


def _key(settings: Settings) -> str:
    path = settings.home / "secret_key"
    key = stated_or_kept(settings, "secret_key", path, lambda: secrets.token_urlsafe(KEY_BYTES))
    if len(key) < SHORTEST:
        raise ConfigurationError(
            f"{path} holds no key of {SHORTEST} characters.",
            code="configuration.bad_key",
            remedy="Delete the file: a new key is made, and every client signs in again.",
        )
    return key
