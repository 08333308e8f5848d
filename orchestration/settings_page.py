"""The settings table of the documentation, written from the settings themselves."""

from pydantic_core import PydanticUndefined

from warehouse.settings import Settings

PAGE_HEAD = """# Settings

Read once from the environment, or from a file `.env` in the working directory. Written by
`python -m orchestration.settings_page > docs/settings.md`.

| variable | default | meaning |
|---|---|---|
"""


def settings_page() -> str:
    """The page as Markdown."""
    rows = (
        f"| `{name.upper()}` | {_shown(field.get_default())} | {field.description} |\n"
        for name, field in Settings.model_fields.items()
    )
    return PAGE_HEAD + "".join(rows)


def _shown(default: object) -> str:
    return f"`{default}`" if default not in (None, PydanticUndefined) and str(default) else "-"


if __name__ == "__main__":
    print(settings_page(), end="")  # noqa: T201 - this module's whole purpose
