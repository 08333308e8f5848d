"""Commands at the terminal: what they say in the end is so."""

from pathlib import Path

import pytest

from orchestration.console import count
from orchestration.context import Warehouse
from tests.processes import run
from warehouse.grants import SHORT_NAMES

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
    ("command", "said"),
    [
        (("psql", "--role", "bogus"), "Roles are loader, transformer, scorer, analyst, partner, dashboard, custodian."),
        (("copy",), "copy.unclear"),
        (("copy", "--masked", "no address"), "copy.bad_address"),
        (("exec",), "exec.no_command"),
        (("train", "--track", "bogus"), "train.unknown_track"),
        (("run", "--only", "bogus"), "run.unknown_step"),
        (("storage", "get", "a-key", "--json"), "storage.no_output"),
        (("audit", "list", "--since", "yesterday"), "yesterday is no time, such as 2026-11-01"),
    ],
)
def test_misuse_ends_with_2_and_says_what_to_write(
    module_warehouse: Warehouse, command: tuple[str, ...], said: str
) -> None:
    misused = run(module_warehouse, *command)
    assert (misused.returncode, said in misused.stderr) == (2, True), misused.stderr


def test_help_of_psql_names_every_role(module_warehouse: Warehouse) -> None:
    told = " ".join(run(module_warehouse, "psql", "--help").stdout.replace("│", " ").split())
    assert ", ".join(SHORT_NAMES) in told


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
