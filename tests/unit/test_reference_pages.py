"""The pages that are written from the source say what the source says now."""

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration import reference_pages
from warehouse.contract import STAGING_FOLDER
from warehouse.errors import ContractError
from warehouse.settings import PROJECT_ROOT


@pytest.mark.parametrize(
    ("page", "write"),
    [
        (PROJECT_ROOT / "docs" / "settings.md", reference_pages.settings_page),
        (PROJECT_ROOT / "docs" / "errors.md", reference_pages.errors_page),
        (STAGING_FOLDER / "_contract_columns.md", reference_pages.columns_page),
    ],
    ids=lambda value: value.name if isinstance(value, Path) else "",
)
def test_page_is_current(page: Path, write: Callable[[], str]) -> None:
    assert page.read_text() == write(), "run python -m orchestration.reference_pages"


def test_one_name_has_one_description(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        reference_pages,
        "describe_columns",
        lambda: {"first": {"village": "Where."}, "second": {"village": "Somewhere else."}},
    )
    with pytest.raises(ContractError, match="second describes the column village otherwise"):
        reference_pages.columns_page()
