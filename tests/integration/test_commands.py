"""Commands at the terminal: what they say in the end is so."""

from pathlib import Path

import pytest

from orchestration.console import count
from orchestration.context import Warehouse
from tests.processes import run

pytestmark = [pytest.mark.xdist_group("commands"), pytest.mark.timeout(300)]


def test_load_says_whether_anything_new_was_stored(warehouse: Warehouse, tmp_path: Path) -> None:
    surveys = tmp_path / "surveys.csv"
    surveys.write_text("household_id,district,household_size\nA-1,Kanungu,5\n")
    assert run(warehouse, "load", str(surveys)).stdout.endswith("builds, scores and publishes what is new\n")
    again = run(warehouse, "load", str(surveys))
    assert (again.returncode, again.stdout.splitlines()[-1]) == (0, "done: nothing new was stored")


def test_page_of_the_documentation_is_one_for_a_browser(warehouse: Warehouse, tmp_path: Path) -> None:
    written = run(warehouse, "docs", "--output", str(tmp_path / "new" / "handbook"))
    (page,) = (tmp_path / "new").iterdir()
    assert page.name == "handbook.html"
    assert "".join(written.stdout.split()).endswith(f"done:{page}")


@pytest.mark.parametrize(
    ("number", "words", "said"),
    [
        (0, ("table",), "0 tables"),
        (1, ("table",), "1 table"),
        (1200, ("table",), "1,200 tables"),
        (1, ("batch", "batches"), "1 batch"),
        (2, ("batch", "batches"), "2 batches"),
    ],
)
def test_what_is_counted_is_in_the_plural_but_for_one(number: int, words: tuple[str, ...], said: str) -> None:
    assert count(number, *words) == said
