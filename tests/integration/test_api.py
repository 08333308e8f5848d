"""The API over real HTTP, served by a process of its own."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import orjson
import pytest

from ingest_api.layouts import DocumentLayout
from ingest_api.records import Submission
from ingest_api.reveal import reveal_household
from ingest_api.schemas import EXAMPLE_SURVEY
from ingest_api.senders import Sender
from ingest_api.surveys import land_surveys, read_survey
from orchestration.api_process import serving_api
from orchestration.context import Warehouse
from orchestration.landing import land_all
from warehouse.contract import load_contract
from warehouse.crypto.keys import load_key_ring

pytestmark = pytest.mark.xdist_group("api")

SURVEY = "/api/v1/upload/survey-data"
FILE = "/api/v1/upload/file"
CSV = b"HouseHoldID,District,HouseholdSize\nA-1,Kanungu,5\nA-2,Kanungu\n"


@pytest.fixture(scope="module")
def client(module_warehouse: Warehouse) -> Iterator[httpx2.Client]:
    """A client of a running API."""
    with serving_api(module_warehouse) as client:
        yield client


def send(client: httpx2.Client, content: bytes, name: str = "survey.csv") -> httpx2.Response:
    return client.post(FILE, files={"file": (name, content, "text/csv")}, data={"file_type": "csv"})


def test_the_six_field_survey_is_accepted_as_it_stands(client: httpx2.Client) -> None:
    answer = client.post(SURVEY, json=EXAMPLE_SURVEY)
    assert answer.status_code == 200
    receipt = answer.json()
    assert receipt.keys() == {"status", "ingestion_id", "outcome", "message", "estimated_processing_time"}
    assert receipt["message"] == "Survey data received and queued for processing"
    status = client.get(f"/api/v1/status/{receipt['ingestion_id']}").json()
    assert status["status"] == "processing"
    assert status["balance"] == {"received": 1, "stored": 1, "duplicate": 0, "rejected": 0, "conflict": 0}


def test_sending_again_is_harmless(client: httpx2.Client) -> None:
    survey = EXAMPLE_SURVEY | {"household_id": "HH-AGAIN"}
    receipts = [client.post(SURVEY, json=survey).json() for _ in range(2)]
    assert [receipt["status"] for receipt in receipts] == ["success", "success"]
    assert "stored already" in receipts[1]["message"]
    second = client.get(f"/api/v1/status/{receipts[1]['ingestion_id']}").json()
    assert second["balance"]["duplicate"] == 1


def test_same_key_with_other_answers_is_kept_for_review(client: httpx2.Client) -> None:
    for size, told in ((5, "queued"), (6, "kept for review")):
        survey = {"household_id": "HH-KEY", "survey_data": {"household_size": size}}
        receipt = client.post(SURVEY, json=survey, headers={"Idempotency-Key": "device-1-9"}).json()
        assert told in receipt["message"]


def test_file_is_received_landed_and_told(client: httpx2.Client, module_warehouse: Warehouse) -> None:
    receipt = send(client, CSV).json()
    assert receipt["file_info"] == {"filename": "survey.csv", "size_bytes": len(CSV), "estimated_records": 2}
    assert client.get(f"/api/v1/status/{receipt['ingestion_id']}").json()["status"] == "queued"
    assert land_all(module_warehouse) == [receipt["ingestion_id"]]
    status = client.get(f"/api/v1/status/{receipt['ingestion_id']}").json()
    assert status["balance"] == {"received": 2, "stored": 1, "duplicate": 0, "rejected": 1, "conflict": 0}
    assert status["rejected_rows"] == [
        {"row_number": 3, "reason_code": "row.ragged", "message": "The row has 2 cells, the header has 3."}
    ]


def test_second_receipt_of_the_same_file_says_duplicate(client: httpx2.Client) -> None:
    content = CSV.replace(b"A-", b"B-")
    first, second = send(client, content).json(), send(client, content, "other_name.csv").json()
    assert first["duplicate_of"] is None
    assert second["duplicate_of"] == first["ingestion_id"]
    assert "Duplicate" in second["message"]


BATCH = "/api/v1/upload/surveys"
SURVEYS = [{"household_id": f"BATCH-{number}", "survey_data": {"household_size": number}} for number in range(1, 6)]


@pytest.mark.parametrize("lines", [False, True])
def test_batch_is_stored_once_and_its_bad_surveys_are_listed(client: httpx2.Client, lines: bool) -> None:
    surveys: list[Any] = [*({**survey, "household_id": f"{survey['household_id']}-{lines}"} for survey in SURVEYS)]
    surveys.insert(2, {"household_id": " ", "survey_data": {}})
    body = b"\n".join(map(orjson.dumps, surveys)) if lines else orjson.dumps(surveys)
    headers = {"Content-Type": "application/jsonl" if lines else "application/json"}
    first, second = (client.post(BATCH, content=body, headers=headers).json() for _ in range(2))
    assert first["balance"] == {"received": 6, "stored": 5, "duplicate": 0, "rejected": 1, "conflict": 0}
    assert [(row["row_number"], row["reason_code"]) for row in first["rejected_rows"]] == [(3, "row.no_household_id")]
    assert second["balance"] == {"received": 6, "stored": 0, "duplicate": 5, "rejected": 1, "conflict": 0}
    assert second["duplicate_of"] == first["ingestion_id"]


def test_same_survey_through_every_door_is_stored_once(client: httpx2.Client, module_warehouse: Warehouse) -> None:
    answers = {"household_size": 4, "agricultural_land": "1.10", "district": "Kanungu"}
    survey = {"household_id": "EVERY-DOOR", "survey_data": answers}
    assert client.post(SURVEY, json=survey).json()["outcome"] == "stored"
    assert client.post(BATCH, json=[survey]).json()["balance"]["duplicate"] == 1
    row = b"HouseHoldID,District,HouseholdSize,AgricultureLand\nEVERY-DOOR,Kanungu,4,1.10\n"
    receipt = send(client, row).json()
    land_all(module_warehouse)
    assert client.get(f"/api/v1/status/{receipt['ingestion_id']}").json()["balance"]["duplicate"] == 1


def test_bad_line_of_a_batch_costs_the_others_nothing(client: httpx2.Client) -> None:
    lines = [b'{"household_id": "LINE-%d", "survey_data": {}}' % number for number in range(5)]
    lines.insert(1, b'{"household_id": "LINE')
    lines.insert(2, b'{"household_id": "LINE-\0"}')
    headers = {"Content-Type": "application/jsonl; charset=utf-8"}
    receipt = client.post(BATCH, content=b"\n".join(lines), headers=headers).json()
    assert receipt["balance"] == {"received": 7, "stored": 5, "duplicate": 0, "rejected": 2, "conflict": 0}


def test_broken_array_is_refused_whole(client: httpx2.Client) -> None:
    body = b'[{"household_id": "ARRAY-1", "survey_data": {}}, {"household_id": "ARRAY-2", "survey'
    answer = client.post(BATCH, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (422, "file.invalid_json")
    whole = client.post(BATCH, json=[{"household_id": "ARRAY-1", "survey_data": {}}]).json()
    assert whole["balance"]["stored"] == 1


def test_no_client_can_take_a_name_that_kyalo_gives(client: httpx2.Client) -> None:
    for name in ("client:kyalo-demo:tablet/1", "content:0123456789abcdef0123456789abcdef"):
        taken = {"household_id": "TAKEN", "survey_data": {"submission_id": name}}
        assert client.post(BATCH, json=[taken]).json()["balance"]["stored"] == 1
    survey = {"household_id": "NAMED", "survey_data": {"household_size": 3}}
    headers = {"Idempotency-Key": "tablet/1"}
    assert client.post(SURVEY, json=survey, headers=headers).json()["outcome"] == "stored"
    assert client.post(SURVEY, json=survey, headers=headers).json()["outcome"] == "duplicate"
    assert client.post(BATCH, json=[survey]).json()["balance"]["duplicate"] == 1


def test_survey_of_many_unknown_fields_is_refused_at_once(client: httpx2.Client) -> None:
    survey = {"household_id": "WIDE", "survey_data": {f"field {number}": 1 for number in range(40_000)}}
    answer = client.post(SURVEY, json=survey)
    assert (answer.status_code, answer.json()["code"]) == (422, "survey.too_many_fields")
    assert answer.elapsed.total_seconds() < 5


def test_surveys_go_on_while_twins_of_some_wait(client: httpx2.Client, module_warehouse: Warehouse) -> None:
    names = [f"WAIT-{number}" for number in range(24)]
    surveys = [{"household_id": name, "survey_data": {}} for name in names]

    def send_one(survey: dict[str, Any]) -> int:
        return client.post(SURVEY, json=survey).status_code

    layout = DocumentLayout(load_contract("household_survey"))
    with module_warehouse.database.connect() as holder, ThreadPoolExecutor(24) as senders:
        for name in names[:6]:
            twin = layout.submission(1, {"household_id": name})
            assert isinstance(twin, Submission)
            holder.execute(
                "insert into raw.submission_keys values (%s, 'household_survey', %s, 'ing_held', 1)",
                [twin.identity, twin.content_hash],
            )
        sent = list(senders.map(send_one, surveys))
        holder.rollback()
    assert sent[6:] == [200] * 18
    assert sent[:6] == [503] * 6
    assert [send_one(survey) for survey in surveys[:6]] == [200] * 6


def test_batch_of_too_many_surveys_stores_none(client: httpx2.Client) -> None:
    surveys = [{"household_id": f"MANY-{number}", "survey_data": {}} for number in range(10_001)]
    answer = client.post(BATCH, json=surveys)
    assert (answer.status_code, answer.json()["code"]) == (422, "batch.too_many")
    assert client.post(BATCH, json=surveys[:1]).json()["balance"]["stored"] == 1


def test_keys_of_different_clients_are_different(client: httpx2.Client, module_warehouse: Warehouse) -> None:
    for name in ("tablet-1", "tablet-2"):
        sender = Sender(name, idempotency_key="1")
        keys = load_key_ring(module_warehouse.settings)
        survey = read_survey(keys, "household_survey", name, {}, body="{}", sender=sender)
        with module_warehouse.database.transaction() as connection:
            (receipt,) = land_surveys(connection, load_contract("household_survey"), [survey])
        assert receipt.outcome == "stored"


REFUSALS: dict[str, tuple[dict[str, Any], int, str]] = {
    "no_body": ({}, 415, "request.wrong_content_type"),
    "not_json": ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 400, "request.bad_json"),
    "array": ({"json": []}, 422, "survey.not_a_survey"),
    "no_household_id": ({"json": {"survey_data": {}}}, 422, "survey.not_a_survey"),
    "blank_household_id": ({"json": {"household_id": " ", "survey_data": {}}}, 422, "survey.no_household_id"),
    "unknown_member": ({"json": {**EXAMPLE_SURVEY, "extra": 1}}, 422, "survey.not_a_survey"),
    "nul": ({"json": {"household_id": "A\0", "survey_data": {}}}, 422, "survey.nul_byte"),
    "surrogate": (
        {
            "content": b'{"household_id": "A", "survey_data": {"x": "\\ud800"}}',
            "headers": {"Content-Type": "application/json"},
        },
        400,
        "request.bad_json",
    ),
    "too_large": ({"json": {"household_id": "A", "survey_data": {"x": "y" * 1_100_000}}}, 413, "request.too_large"),
    "long_key": ({"json": EXAMPLE_SURVEY, "headers": {"Idempotency-Key": "k" * 300}}, 400, "request.bad_header"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_bad_survey_is_refused_with_a_code(client: httpx2.Client, name: str) -> None:
    request, status, code = REFUSALS[name]
    answer = client.post(SURVEY, **request)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == code
    assert "Traceback" not in answer.text


def test_too_large_without_a_declared_length_is_refused(client: httpx2.Client) -> None:
    headers = {"Content-Type": "application/json"}
    answer = client.post(SURVEY, content=(b"x" * 65_536 for _ in range(40)), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "request.too_large")


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "file.empty"), (b"%PDF-1.7\n", "file.not_csv"), (b"colour,weight\n1,2\n", "file.unknown_header")],
)
def test_file_that_is_none_is_refused(client: httpx2.Client, content: bytes, code: str) -> None:
    answer = send(client, content)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_no_name_of_a_thing_holds_a_number(client: httpx2.Client, module_warehouse: Warehouse) -> None:
    numbers = {"X-Device-ID": "0772123456", "Idempotency-Key": "tablet/0772123457"}
    for household, headers in (("0772123458", {}), ("HIDE-1", numbers)):
        survey = EXAMPLE_SURVEY | {"household_id": household}
        client.post(SURVEY, json=survey, headers=headers).raise_for_status()
    send(client, b"household_id\nHIDE-2\n", "call 0772123459.csv").raise_for_status()
    assert reveal_household(module_warehouse.database, "0772123458")[0].answers["household_id"] == "0772123458"
    with module_warehouse.database.transaction() as connection:
        ledger = connection.execute("select device, idempotency_key, filename from raw.ingestions").fetchall()
        audit = connection.execute("select subject, households from ops.audit_log").fetchall()
        keys = connection.execute("select * from raw.household_survey").fetchall()
    assert "personal:" in str(ledger)
    assert "HIDE-1" in str(audit)
    assert "07721234" not in str([ledger, audit, keys])


def test_unknown_ingestion_and_route_are_told(client: httpx2.Client) -> None:
    for path, code in (("/api/v1/status/ing_1", "ingestion.not_found"), ("/nothing", "request.no_such_route")):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, code)


def test_openapi_describes_every_route(client: httpx2.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert {SURVEY, "/api/v1/upload/surveys", FILE, "/api/v1/status/{ingestion_id}", "/health"} < set(paths)
    assert {"/api/v1/auth/token", "/api/v1/forms/{form}", "/openrosa/submission"} < set(paths)


def test_documentation_asks_nothing_of_another_machine(client: httpx2.Client) -> None:
    page = client.get("/docs").text
    assert "swagger-ui" in page
    assert "://" not in page.replace(str(client.base_url), "")
