"""Secrets that Kyalo makes for itself, each in a file that only its owner may read."""

import os
import secrets
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from pydantic import SecretStr

from warehouse.errors import ConfigurationError
from warehouse.folders import make_folder
from warehouse.logs import hide_always
from warehouse.settings import Settings

GROUP_AND_OTHERS, OTHERS = 0o077, 0o007
RECIPES = {
    "secret_key": "openssl rand -hex 32",
    "hash_key": "openssl rand -hex 32",
    "encryption_key": "openssl rand -base64 32 | tr +/ -_",
}


def stated_or_kept(settings: Settings, name: str, path: Path, make: Callable[[], str]) -> str:
    """The key that a setting states; else, and not in production, the one that the data folder keeps.

    Args:
        settings: may state it.
        name: the setting, in small letters.
        path: where it is kept.
        make: makes it.

    Raises:
        ConfigurationError: it is not stated in production, or others may read the file.
    """
    stated: SecretStr | None = getattr(settings, name)
    if stated:
        return stated.get_secret_value()
    if settings.is_production:
        before = f", or set it to what {path} holds, which was in use before" if path.exists() else ""
        raise ConfigurationError(
            f"{name.upper()} is not set; in production (DB_HOST is set, or KYALO_ENVIRONMENT says so) none is made up.",
            code="configuration.missing_key",
            remedy=f"Set it, the same for every process: `{RECIPES[name]}` makes one{before}.",
        )
    return kept_secret(path, make)


def kept_secret(path: Path, make: Callable[[], str]) -> str:
    """The secret in a file, made where there is none; of several processes that make it at once, one wins.

    Raises:
        ConfigurationError: others may read the file.
    """
    if not path.exists():
        draft = write_draft(path, make())
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    facts = check_private(path)
    return _read(path, facts.st_mtime_ns, facts.st_ino)


def check_private(path: Path, strangers: int = GROUP_AND_OTHERS) -> os.stat_result:
    """What is known of a file that holds a secret; it must be its owner's alone.

    Args:
        path: the file.
        strangers: the rights that nobody may have: those of group and others, or of others alone where a group shares
            the secret, as systems let it share keys of certificates.

    Raises:
        ConfigurationError: strangers may read or change it, and may have done so.
    """
    facts = path.stat()
    if facts.st_mode & strangers:
        owners = "its owner" if strangers == GROUP_AND_OTHERS else "its owner and group"
        raise ConfigurationError(
            f"{path} holds a secret, and others than {owners} may read or change it.",
            code="configuration.open_secret",
            remedy=f"`chmod {0o640 & ~strangers:o} {path}`; where somebody may have read it, change the secret, too.",
        )
    return facts


@lru_cache(16)
def _read(path: Path, _modified: int, _number: int) -> str:
    """The text of the file of that number, last modified at that time: secrets are asked for with every survey."""
    text = path.read_text().strip()
    hide_always(text, *text.split())
    return text


def replace_secret(path: Path, text: str) -> None:
    """Put another text in the place of a secret, at one stroke."""
    write_draft(path, text).replace(path)


def write_draft(path: Path, text: str) -> Path:
    """A new file beside another, for its owner alone, safely on the disk."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    make_folder(path.parent)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return draft
