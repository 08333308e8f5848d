"""Pages of the documentation that are written from the source: settings, error codes, the forms' columns."""

from textwrap import fill

from pydantic_core import PydanticUndefined

from warehouse.contract import STAGING_FOLDER, describe_columns
from warehouse.error_codes import MEANINGS
from warehouse.errors import ContractError
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
COLUMNS_HEAD = f"""[comment]: # (The columns of the raw tables, from their contracts. {WRITTEN_BY})
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


def columns_page() -> str:
    """The columns of every form's raw table as dbt doc blocks: models describe a column by the block of its name.

    Raises:
        ContractError: two forms describe a column of one name differently.
    """
    texts: dict[str, str] = {}
    for form, columns in describe_columns().items():
        for name, text in columns.items():
            if texts.setdefault(name, text) != text:
                raise ContractError(
                    f"The form {form} describes the column {name} otherwise than another form.",
                    remedy="Give it the same description in both, or another name in one.",
                )
    return COLUMNS_HEAD + "".join(_doc_block(name, text) for name, text in sorted(texts.items()))


def _doc_block(name: str, text: str) -> str:
    return f"\n{{% docs {name} %}}\n{fill(text, 120)}\n{{% enddocs %}}\n"


def _shown(default: object) -> str:
    return f"`{default}`" if default not in (None, PydanticUndefined) and str(default) else "-"


if __name__ == "__main__":
    (PROJECT_ROOT / "docs" / "settings.md").write_text(settings_page())
    (PROJECT_ROOT / "docs" / "errors.md").write_text(errors_page())
    (STAGING_FOLDER / "_contract_columns.md").write_text(columns_page())
