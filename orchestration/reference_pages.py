"""Pages of the documentation that are written from the source: settings and error codes."""

from pydantic_core import PydanticUndefined

from warehouse.error_codes import MEANINGS
from warehouse.settings import PROJECT_ROOT, Settings

WRITTEN_BY = "Written by `python -m orchestration.reference_pages`."
SETTINGS_HEAD = f"""# Settings

Read once from the environment, or from a file `.env` in the working directory. {WRITTEN_BY}

| variable | default | meaning |
|---|---|---|
"""
ERRORS_HEAD = f"""# Error codes

Every error that Kyalo tells bears one of these codes, over HTTP as `application/problem+json`, on the command line
before its message. Programs may rely on them. {WRITTEN_BY}

| code | meaning |
|---|---|
"""


def settings_page() -> str:
    """The settings, their defaults and their meaning, as Markdown."""
    rows = (
        f"| `{name.upper()}` | {_shown(field.get_default())} | {field.description} |\n"
        for name, field in Settings.model_fields.items()
    )
    return SETTINGS_HEAD + "".join(rows)


def errors_page() -> str:
    """The error codes and their meaning, as Markdown."""
    return ERRORS_HEAD + "".join(f"| `{code}` | {meaning} |\n" for code, meaning in sorted(MEANINGS.items()))


def _shown(default: object) -> str:
    return f"`{default}`" if default not in (None, PydanticUndefined) and str(default) else "-"


if __name__ == "__main__":
    (PROJECT_ROOT / "docs" / "settings.md").write_text(settings_page())
    (PROJECT_ROOT / "docs" / "errors.md").write_text(errors_page())
