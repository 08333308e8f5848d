"""Where a model comes from: the code, the SQL and the libraries that made it."""

import hashlib
import json
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ml.recipe import library_versions
from warehouse.settings import PROJECT_ROOT

GIT_SECONDS = 10


def describe_origin(manifest: Path) -> dict[str, Any]:
    """The revision of the code, the hash of dbt's project and the versions of Python and the libraries.

    Args:
        manifest: dbt's manifest of the build that made the feature mart.
    """
    return {
        "git_revision": git_revision(),
        "dbt_project_sha256": hash_project(json.loads(manifest.read_bytes())),
        "python": platform.python_version(),
        "libraries": library_versions(),
    }


def git_revision() -> str | None:
    """The commit that is checked out, `+` behind it where files were changed; None outside a working copy."""
    revision = _git("rev-parse", "HEAD")
    return revision and revision + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")


def hash_project(manifest: Mapping[str, Any]) -> str:
    """A SHA-256 of every file that dbt's manifest was made of, whenever it was made."""
    parts = [*manifest["nodes"].values(), *manifest["macros"].values(), *manifest["sources"].values()]
    texts = sorted(json.dumps([part["unique_id"], _content(part)], sort_keys=True) for part in parts)
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def _content(part: Mapping[str, Any]) -> Any:
    checksum = part.get("checksum")
    return checksum["checksum"] if checksum else part.get("macro_sql") or sorted(part.get("columns", {}))


def _git(*arguments: str) -> str | None:
    try:
        found = subprocess.run(  # noqa: S603 - fixed words
            ["git", "-C", str(PROJECT_ROOT), *arguments],  # noqa: S607 - the user's own git
            capture_output=True,
            text=True,
            timeout=GIT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()
