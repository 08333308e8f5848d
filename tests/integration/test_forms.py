"""Forms beside the household survey: landed, staged, balanced and published; a new one is two files."""

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from ingest_api.ledger import get_entry, list_rejected
from ingest_api.loading import land_next
from ingest_api.receiving import receive_file
from orchestration.api_process import serving_api
from orchestration.context import Warehouse
from orchestration.dbt import Dbt
from warehouse.errors import BuildError
from warehouse.settings import PROJECT_ROOT

pytestmark = [pytest.mark.xdist_group("models"), pytest.mark.timeout(300)]

REPORT = b"""\
Partner,Year,Quarter,District,Village Name,Households Visited,Minutes to Water,Water Source,report_date,Final
Bwindi Trust,2026,1,Kanungu,V-1,40,-99,borehole,2026-04-02,yes
Bwindi Trust,2026,1,Kanungu,,12,20,tap,2026-04-02,yes
Bwindi Trust,2026,1,Kanungu,V-2,many,15.5,tap,soon,
Bwindi Trust,2026,1,Kanungu,V-2,many,15.5,tap,soon,
"""
SELECTION = ("--select", "stg_quarterly_report__submissions", "ledger_balances", "--indirect-selection", "buildable")

NEW_CONTRACT = """
version: 2
sources:
  - name: clinic_visit
    schema: raw
    description: Visits as they arrived.
    config: {meta: {owner: health, loader: ingest_api}, loaded_at_field: received_at}
    tables:
      - name: submissions
        identifier: clinic_visit
        description: One row for each visit to a clinic.
        config: {meta: {version: 3, identifier: patient}}
        columns:
          - {name: patient, description: Number of the patient., data_type: text, config: {meta: {required: true}}}
          - {name: weight, description: Weight in kilograms., data_type: double precision,
             config: {meta: {headers: [Weight (kg)], unit: kg, range: [1, 300]}}}
"""
NEW_MODEL = """
{{ config(materialized='incremental', incremental_strategy='append') }}
{{ stage_submissions('clinic_visit') }}
"""
ADD_AND_USE = """
import io
from pathlib import Path
from ingest_api.forms import describe_form
from ingest_api.loading import land_next
from ingest_api.receiving import receive_file
from orchestration.checking import check_file
from orchestration.context import open_warehouse
from orchestration.dbt import Dbt

content = io.BytesIO(b"Patient,Weight (kg)\\nP-1,61.5\\n,70\\n")
with open_warehouse() as warehouse, Dbt(warehouse) as dbt:
    receive_file(
        warehouse.database, warehouse.store, content, form="clinic_visit", filename="v.csv", source="cli"
    )
    assert land_next(warehouse.database, warehouse.store)
    dbt.build("--select", "stg_clinic_visit__submissions", "ledger_balances")
    with warehouse.database.transaction() as connection:
        print(connection.execute("select patient, weight from staging.stg_clinic_visit__submissions").fetchall())
    print(describe_form("clinic_visit").version)
    Path("v.csv").write_text("Patient,Weight (kg)\\nP-2,900\\n")
    found = check_file(warehouse, Path("v.csv"), "clinic_visit")
    print(found.stored, found.is_judged, found.rules)
"""


@pytest.fixture(scope="module")
def staged(module_warehouse: Warehouse) -> Warehouse:
    """The warehouse after a report was landed and staged."""
    receive_file(
        module_warehouse.database,
        module_warehouse.store,
        io.BytesIO(REPORT),
        form="quarterly_report",
        filename="report.csv",
        source="cli",
    )
    assert land_next(module_warehouse.database, module_warehouse.store)
    with Dbt(module_warehouse) as dbt:
        dbt.build(*SELECTION)
    return module_warehouse


@pytest.fixture(scope="module")
def client(module_warehouse: Warehouse) -> Iterator[httpx2.Client]:
    """A client of a running API."""
    with serving_api(module_warehouse) as client:
        yield client


def test_report_lands_and_balances(staged: Warehouse) -> None:
    with staged.database.transaction() as connection:
        (ingestion_id,) = connection.execute("select ingestion_id from raw.ingestions").fetchone() or ("",)
    entry = get_entry(staged.database, ingestion_id)
    assert (entry.received_rows, entry.stored_rows, entry.duplicate_rows, entry.rejected_rows) == (4, 2, 1, 1)
    assert entry.state == "processing"  # no run has judged it yet
    (rejected,) = list_rejected(staged.database, ingestion_id)
    assert (rejected.row_number, rejected.reason_code, rejected.message) == (
        3, "row.no_identifier", "village is blank.",
    )  # fmt: skip


def test_report_is_typed(staged: Warehouse) -> None:
    with staged.database.transaction() as connection:
        rows = connection.execute(
            "select village, report_quarter, households_visited, mean_minutes_to_water, main_water_source, "
            "report_date::text, is_final, cast_error_columns "
            "from staging.stg_quarterly_report__submissions order by village"
        ).fetchall()
    assert rows == [
        ("V-1", 1, 40, None, "borehole", "2026-04-02", True, []),
        ("V-2", 1, None, 15.5, "tap", None, None, ["households_visited", "report_date"]),
    ]


def test_row_that_is_missing_from_any_form_stops_the_build(staged: Warehouse) -> None:
    with staged.database.transaction() as connection:
        connection.execute("update raw.ingestions set stored_rows = 3, duplicate_rows = 0")
    with Dbt(staged) as dbt, pytest.raises(BuildError) as stopped:
        dbt.build("--select", "ledger_balances")
    assert stopped.value.facts["failed"] == ["ledger_balances"]
    with staged.database.transaction() as connection:
        connection.execute("update raw.ingestions set stored_rows = 2, duplicate_rows = 1")


def test_new_form_is_a_contract_and_a_staging_model(warehouse: Warehouse, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for folder in ("warehouse", "ingest_api", "ml", "orchestration", "dbt_project", "profiles"):
        ignored = shutil.ignore_patterns("__pycache__", "target", "logs", "dbt_packages")
        shutil.copytree(PROJECT_ROOT / folder, copy / folder, ignore=ignored)
    staging = copy / "dbt_project" / "models" / "staging" / "clinic_visit"
    staging.mkdir()
    (staging / "_clinic_visit__sources.yml").write_text(NEW_CONTRACT)
    (staging / "stg_clinic_visit__submissions.sql").write_text(NEW_MODEL)
    environment = {**os.environ, **warehouse.database.environment(), "KYALO_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", ADD_AND_USE], cwd=copy, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["[('P-1', 61.5)]", "3", "1 False []"]


def test_forms_are_published(client: httpx2.Client) -> None:
    listed = client.get("/api/v1/forms").json()["forms"]
    assert [(form["form"], form["identifier"]) for form in listed] == [
        ("household_survey", "household_id"), ("quarterly_report", "village"),
    ]  # fmt: skip
    described = client.get("/api/v1/forms/quarterly_report").json()
    assert described["version"] == "1"
    assert described["schema"]["required"] == [
        "partner", "report_year", "report_quarter", "district", "village", "households_visited",
    ]  # fmt: skip
    (water,) = [field for field in described["fields"] if field["name"] == "mean_minutes_to_water"]
    assert (water["type"], water["unit"], water["maximum"]) == ("numeric", "minutes", 1440)


@pytest.mark.parametrize("path", ["/api/v1/forms", "/api/v1/forms/household_survey"])
def test_client_that_has_the_form_is_not_sent_it_again(client: httpx2.Client, path: str) -> None:
    first = client.get(path)
    tag = first.headers["ETag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = client.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert client.get(path, headers={"If-None-Match": '"other"'}).content == first.content


def test_unknown_form_is_not_found(client: httpx2.Client) -> None:
    answer = client.get("/api/v1/forms/no_such_form")
    assert (answer.status_code, answer.json()["code"]) == (404, "contract.unknown_form")
    assert "household_survey" in answer.json()["remedy"]


def test_nobody_is_told_without_a_token(client: httpx2.Client) -> None:
    answer = client.get("/api/v1/forms", headers={"Authorization": ""})
    assert answer.status_code == 401
