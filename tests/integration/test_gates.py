"""Gates and publication: a bad batch waits alone, a bad run changes nothing that people read."""

import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from ingest_api.loading import land_next
from ingest_api.receiving import receive_file
from ingest_api.rules import require_rule
from orchestration.api_process import serving_api
from orchestration.building import build
from orchestration.context import Warehouse
from orchestration.dbt import Dbt
from orchestration.loading import ingestion_status, print_status
from orchestration.publish import publish
from orchestration.report import collect_account, print_account
from tests.contents import contents
from tests.dbt_selections import NO_TESTS_BUT_GATES, WITHOUT_TESTS
from tests.processes import run
from tests.surveys import load_text
from warehouse.errors import BuildError, GateClosedError

pytestmark = [pytest.mark.xdist_group("gates"), pytest.mark.timeout(600)]

HEADER = "household_id,district,village,household_size,survey_round\n"
ROWS = 60


def batch(name: str, bad: int = 0, rows: int = ROWS) -> str:
    """A file of surveys of which some name no district."""
    districts = [""] * bad + ["Kanungu"] * (rows - bad)
    lines = [f"{name}-{number},{district},V1,{number % 9 + 1},2026\n" for number, district in enumerate(districts)]
    return HEADER + "".join(lines)


def one(warehouse: Warehouse, statement: str) -> tuple[object, ...]:
    with warehouse.database.transaction() as connection:
        row = connection.execute(statement.encode()).fetchone()
    assert row
    return tuple(row)


def decide(warehouse: Warehouse, ingestion_id: str, decision: str) -> None:
    with warehouse.database.transaction() as connection:
        connection.execute(
            "insert into review.decisions (ingestion_id, decision, decided_by, reason) values (%s, %s, %s, %s)",
            [ingestion_id, decision, "office", "seen"],
        )


def account(warehouse: Warehouse) -> list[str]:
    """The lines that `kyalo status` prints first."""
    console = Console(width=200)
    with console.capture() as printed:
        print_account(console, collect_account(warehouse))
    return printed.get().splitlines()


def told(warehouse: Warehouse, ingestion_id: str) -> str:
    """What `kyalo status INGESTION` prints, in one line."""
    console = Console(width=200)
    with console.capture() as printed:
        print_status(console, ingestion_status(warehouse, ingestion_id))
    return " ".join(printed.get().split())


@pytest.fixture(scope="module", autouse=True)
def gates_alone() -> Iterator[None]:
    """Builds try no tests but the gates."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("orchestration.building.WITHOUT_UNIT_TESTS", NO_TESTS_BUT_GATES)
        yield


@pytest.fixture(scope="module")
def poisoned(module_warehouse: Warehouse) -> tuple[Warehouse, str, str]:
    """A warehouse after a build over nine good batches and a bad one; what the build said, and the bad batch."""
    for number in range(9):
        load_text(module_warehouse, batch(f"GOOD{number}"))
    bad = load_text(module_warehouse, batch("BAD", bad=40))
    return module_warehouse, build(module_warehouse), bad


def test_bad_batch_is_held_with_a_warning_and_the_rest_flows(poisoned: tuple[Warehouse, str, str]) -> None:
    warehouse, said, bad = poisoned
    assert "1 warned: gate_batch" in said
    assert one(warehouse, "select count(*) from marts.fct_household_risk") == (9 * ROWS,)
    counts = "released_submissions, held_submissions, quarantined_submissions"
    assert one(warehouse, f"select {counts} from marts.rpt_ingestions where ingestion_id = '{bad}'") == (0, 20, 40)
    assert one(warehouse, "select count(*) from marts.fct_batch_quality where gate_status = 'passed'") == (9,)


def test_sender_of_a_held_upload_is_told_so(poisoned: tuple[Warehouse, str, str]) -> None:
    warehouse, _, bad = poisoned
    status = ingestion_status(warehouse, bad)
    progress = status.progress
    assert (progress.valid_records, progress.failed_records, progress.held_records) == (0, 40, 20)
    assert (status.status, progress.processed_records) == ("completed", 60)
    assert status.notices == [
        f"held by a quality gate; a reviewer decides: `kyalo quarantine list --batch {bad}`",
    ]
    assert "0 valid (0.0%), 40 failed, 20 held;" in told(warehouse, bad)


def test_account_adds_up_and_names_what_is_held(poisoned: tuple[Warehouse, str, str]) -> None:
    warehouse, _, bad = poisoned
    report = "submission_id,village,district\nreport-1,V1,Kanungu\n"
    receive_file(
        warehouse.database, warehouse.store, io.BytesIO(report.encode()),
        form="quarterly_report", filename="reports.csv", source="cli",
    )  # fmt: skip
    assert land_next(warehouse.database, warehouse.store)
    lines = account(warehouse)
    assert "household_survey: received 600 = stored 600 + duplicate 0 + rejected 0 + conflict 0" in lines
    assert "stored 600 = released 540 + quarantined 40 + superseded 0 + held 20" in lines
    assert f"  held 20: the batch {bad} is too bad, 40 of its 60 submissions rejected" in lines
    assert "quarterly_report: received 1 = stored 1 + duplicate 0 + rejected 0 + conflict 0" in lines


@pytest.mark.parametrize("command", [("list",), ("discard", "--reason", "seen")])
def test_rule_that_there_is_not_is_refused(poisoned: tuple[Warehouse, str, str], command: tuple[str, ...]) -> None:
    refused = run(poisoned[0], "quarantine", *command, "--rule", "nonsense")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "error review.unknown_rule: There is no rule 'nonsense'." in refused.stderr


def test_rule_that_there_is_not_is_refused_over_http(poisoned: tuple[Warehouse, str, str]) -> None:
    with serving_api(poisoned[0]) as client:
        refused = client.get("/api/v1/quarantine", params={"rule": "nonsense"})
    assert (refused.status_code, refused.json()["code"]) == (400, "review.unknown_rule")


def test_rule_that_nothing_broke_is_no_error(poisoned: tuple[Warehouse, str, str]) -> None:
    require_rule(poisoned[0].database, "consent_refused")


def test_closed_gate_leaves_every_mart_as_it_was(poisoned: tuple[Warehouse, str, str]) -> None:
    warehouse, _, bad = poisoned
    before = contents(warehouse.database, "marts")
    poison = [load_text(warehouse, batch(f"POISON{number}", bad=30)) for number in range(3)]
    load_text(warehouse, batch("FINE"))
    stopped = run(warehouse, "build")
    assert (stopped.returncode, stopped.stdout) == (3, "")
    closed = "error build.gate_closed: gate_held is closed: 3 bad batches hold 180 of 240 new submissions"
    assert " ".join(stopped.stderr.split()).startswith(closed)
    assert contents(warehouse.database, "marts") == before
    assert "stored 840 = released 540 + quarantined 40 + superseded 0 + held 20 + not yet built 240" in account(
        warehouse
    )
    assert ingestion_status(warehouse, poison[0]).progress.held_records == 30
    assert "processing received" in told(warehouse, poison[0])  # not that the next run would build it
    assert "note: held by a quality gate; a reviewer decides" in told(warehouse, poison[0])
    for ingestion_id in poison:
        decide(warehouse, ingestion_id, "discard")
    assert "note: discarded by a reviewer; the next run does what was decided" in told(warehouse, poison[0])
    decide(warehouse, bad, "release")


def test_many_rejected_rows_that_no_batch_is_held_for_stop_the_run(poisoned: tuple[Warehouse, str, str]) -> None:
    warehouse, *_ = poisoned
    spread = load_text(warehouse, batch("SPREAD", bad=20, rows=100))
    with pytest.raises(GateClosedError, match=r"gate_rejected is closed: 20 of 340 new .*district_required \(20\)"):
        build(warehouse)
    decide(warehouse, spread, "discard")


def test_what_was_decided_flows_and_a_second_build_changes_no_row(poisoned: tuple[Warehouse, str, str]) -> None:
    warehouse, _, bad = poisoned
    build(warehouse)
    counts = "released_submissions, held_submissions, quarantined_submissions"
    assert one(warehouse, f"select {counts} from marts.rpt_ingestions where ingestion_id = '{bad}'") == (20, 0, 40)
    assert "20 valid (33.3%), 40 failed, 0 held;" in told(warehouse, bad)
    assert not ingestion_status(warehouse, bad).notices
    assert "stored 940 = released 620 + quarantined 320 + superseded 0 + held 0" in account(warehouse)
    assert "  discarded 280 by reviewers" in account(warehouse)
    assert one(warehouse, "select count(*) from marts.fct_household_risk") == (10 * ROWS + 20,)
    load_text(warehouse, batch("GOOD1"))
    with Dbt(warehouse) as dbt:
        dbt.build(*WITHOUT_TESTS)
    assert publish(warehouse.database) == {}


def test_published_table_that_somebody_reads_is_not_made_anew_behind_their_back(
    poisoned: tuple[Warehouse, str, str],
) -> None:
    warehouse, *_ = poisoned
    with warehouse.database.transaction() as connection:
        connection.execute("create view public.mine as select district from marts.rpt_district_summary")
        connection.execute("alter table marts.rpt_district_summary add column old integer")
    before = contents(warehouse.database, "marts")
    with pytest.raises(BuildError, match="something that you made reads it"):
        publish(warehouse.database)
    assert contents(warehouse.database, "marts") == before
    with warehouse.database.transaction() as connection:
        connection.execute("drop view public.mine")
    publish(warehouse.database)
    with warehouse.database.transaction() as connection:
        columns = "select column_name from information_schema.columns where table_name = 'rpt_district_summary'"
        assert ("old",) not in connection.execute(columns).fetchall()


def test_tables_that_others_made_stay_and_marts_that_are_built_no_more_go(poisoned: tuple[Warehouse, str, str]) -> None:
    warehouse, *_ = poisoned
    with warehouse.database.transaction() as connection:
        connection.execute("create table marts.notes as select 'mine' as text")
        connection.execute("create table marts_next.rpt_of_the_past as select 1 as past_id")
        connection.execute("create unique index on marts_next.rpt_of_the_past (past_id)")
        connection.execute("alter table marts_next.rpt_of_the_past owner to kyalo_transformer")
    publish(warehouse.database)
    assert one(warehouse, "select past_id from marts.rpt_of_the_past") == (1,)
    with warehouse.database.transaction() as connection:
        connection.execute("drop table marts_next.rpt_of_the_past")
    publish(warehouse.database)
    assert one(warehouse, "select to_regclass('marts.rpt_of_the_past') is null, text from marts.notes") == (
        True,
        "mine",
    )
