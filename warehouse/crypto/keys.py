"""The keys that encrypt what is personal, and the one that its hashes are made with."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from warehouse.crypto.frames import KEY_ID_LENGTH
from warehouse.crypto.kept import replace_secret, stated_or_kept
from warehouse.errors import ConfigurationError, IntegrityError
from warehouse.folders import make_folder
from warehouse.locks import holding
from warehouse.settings import Settings

HASH_KEY_BYTES = 32
TOKEN = b"gAAAAA"  # how every Fernet token begins, until the year 2106, and no JSON, XML or picture


@dataclass(frozen=True, repr=False)
class KeyRing:
    """Keys of encryption, the newest first, and the key of hashes.

    What is written is encrypted with the newest; any of them opens it. The key of hashes never changes: what was
    hashed under another could not be joined with it.
    """

    encryption_keys: tuple[str, ...]
    hash_key: bytes

    @property
    def current_id(self) -> str:
        """The name of the newest key: eight letters that say nothing of it."""
        return key_id(self.encryption_keys[0])

    @property
    def ids(self) -> tuple[str, ...]:
        """The names of all keys, the newest first."""
        return tuple(map(key_id, self.encryption_keys))

    def sealed_by(self, token: bytes) -> str | None:
        """The name of the key that opens a token; None where none of them does."""
        for key in self.encryption_keys:
            try:
                Fernet(key).decrypt(token)
            except InvalidToken:
                continue
            return key_id(key)
        return None

    @cached_property
    def _fernet(self) -> MultiFernet:
        return MultiFernet([Fernet(key) for key in self.encryption_keys])

    @cached_property
    def _newest(self) -> Fernet:
        return Fernet(self.encryption_keys[0])

    def seal(self, content: bytes) -> bytes:
        """A token that holds the content, under the newest key."""
        return self._newest.encrypt(content)

    def open(self, token: bytes | str) -> bytes:
        """The content of a token.

        Raises:
            IntegrityError: none of the keys opens it, or it was changed.
        """
        try:
            return self._fernet.decrypt(token)
        except InvalidToken as error:
            raise IntegrityError(
                "What is encrypted cannot be opened: none of the keys fits, or it was changed.",
                code="keys.cannot_open",
                remedy="Set ENCRYPTION_KEY to all keys that were ever in use, the newest first, parted by commas.",
            ) from error

    def open_waiting(self, content: bytes | str) -> bytes:
        """The content of a body or a piece that waits in the database; one from before encryption is as it came.

        Raises:
            IntegrityError: none of the keys opens it.
        """
        kept = content.encode() if isinstance(content, str) else content
        return self.open(kept) if kept.startswith(TOKEN) else kept

    def renew(self, token: bytes | str) -> bytes:
        """A token of the same content under the newest key.

        Raises:
            IntegrityError: none of the keys opens it.
        """
        return self.seal(self.open(token))

    def derive(self, purpose: str) -> bytes:
        """32 bytes to hash with, other ones for each purpose; they outlive the change of encryption keys."""
        return hmac.digest(self.hash_key, purpose.encode(), "sha256")


def load_key_ring(settings: Settings) -> KeyRing:
    """The keys that the settings name; without any, those that are made once and kept in the data folder.

    Raises:
        ConfigurationError: a key is not what it should be.
    """
    keys = stated_or_kept(settings, "encryption_key", keys_path(settings), new_key)
    return _key_ring(keys, stated_or_kept(settings, "hash_key", _hash_path(settings), _new_hash))


def add_key(settings: Settings) -> KeyRing:
    """Put a new key before those that the data folder keeps.

    Raises:
        ConfigurationError: the keys are kept elsewhere: the settings name them.
    """
    if settings.encryption_key:
        raise ConfigurationError(
            "ENCRYPTION_KEY names the keys: Kyalo cannot change it.",
            code="keys.kept_elsewhere",
            remedy="`kyalo keys new` prints a key: put it before the others of ENCRYPTION_KEY, parted by a comma.",
        )
    with _changing(settings):
        _keep(settings, [new_key(), *load_key_ring(settings).encryption_keys])
        return load_key_ring(settings)


def drop_keys(settings: Settings, names: Collection[str]) -> None:
    """Drop keys of these names from the data folder; the newest always stays."""
    with _changing(settings):
        newest, *older = load_key_ring(settings).encryption_keys
        _keep(settings, [newest, *(key for key in older if key_id(key) not in names)])


def new_key() -> str:
    """A new key of encryption."""
    return Fernet.generate_key().decode()


def key_id(key: str) -> str:
    """The name of a key."""
    digest = hashlib.sha256(b"kyalo key " + key.encode()).digest()
    return base64.b32encode(digest).decode().lower()[:KEY_ID_LENGTH]


def keys_path(settings: Settings) -> Path:
    """The file in which the data folder keeps the keys, one on a line, the newest first."""
    return settings.home / "encryption_keys"


@contextmanager
def _changing(settings: Settings) -> Iterator[None]:
    """Keep others from changing the keys of the data folder between a look at them and their change."""
    make_folder(settings.home)
    with holding(settings.home / "encryption_keys.lock"):
        yield


def _keep(settings: Settings, keys: Sequence[str]) -> None:
    replace_secret(keys_path(settings), "\n".join(keys))


def _hash_path(settings: Settings) -> Path:
    return settings.home / "hash_key"


def _new_hash() -> str:
    return secrets.token_urlsafe(HASH_KEY_BYTES)


@lru_cache(16)
def _key_ring(keys: str, hash_key: str) -> KeyRing:
    listed = tuple(key.strip() for key in keys.replace("\n", ",").split(",") if key.strip())
    if not listed or not all(map(_is_key, listed)):
        raise ConfigurationError(
            "ENCRYPTION_KEY must hold Fernet keys, 44 letters each, the newest first, parted by commas.",
            code="configuration.bad_encryption_key",
            remedy="`kyalo keys new` prints a key.",
        )
    if len(hash_key) < HASH_KEY_BYTES:
        raise ConfigurationError(
            f"HASH_KEY must have {HASH_KEY_BYTES} characters or more.",
            code="configuration.bad_encryption_key",
            remedy="Restore it from where it was first set: under another key nothing joins with what is stored.",
        )
    return KeyRing(listed, hash_key.encode())


def _is_key(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True
