"""The API over real HTTP, served by a process of its own."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from ingest_api.schemas import EXAMPLE_SURVEY
from orchestration.api_process import serving_api
from orchestration.context import Warehouse
from orchestration.pipeline import land_all

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
    assert receipt.keys() == {"status", "ingestion_id", "message", "estimated_processing_time"}
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


REFUSALS: dict[str, tuple[dict[str, Any], int, str]] = {
    "no_body": ({}, 422, "request.invalid"),
    "not_json": ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 422, "request.invalid"),
    "array": ({"json": []}, 422, "request.invalid"),
    "no_household_id": ({"json": {"survey_data": {}}}, 422, "request.invalid"),
    "blank_household_id": ({"json": {"household_id": " ", "survey_data": {}}}, 422, "survey.no_household_id"),
    "number_as_household_id": ({"json": {"household_id": 7, "survey_data": {}}}, 422, "request.invalid"),
    "unknown_member": ({"json": {**EXAMPLE_SURVEY, "extra": 1}}, 422, "request.invalid"),
    "nul": ({"json": {"household_id": "A\0", "survey_data": {}}}, 422, "survey.nul_byte"),
    "surrogate": (
        {
            "content": b'{"household_id": "A", "survey_data": {"x": "\\ud800"}}',
            "headers": {"Content-Type": "application/json"},
        },
        422,
        "survey.bad_text",
    ),
    "too_large": ({"json": {"household_id": "A", "survey_data": {"x": "y" * 1_100_000}}}, 413, "request.too_large"),
    "long_key": ({"json": EXAMPLE_SURVEY, "headers": {"Idempotency-Key": "k" * 300}}, 422, "request.invalid"),
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
    answer = client.post(SURVEY, content=(b"x" * 65_536 for _ in range(40)))
    assert (answer.status_code, answer.json()["code"]) == (413, "request.too_large")


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "file.empty"), (b"%PDF-1.7\n", "file.not_csv"), (b"colour,weight\n1,2\n", "file.unknown_header")],
)
def test_file_that_is_none_is_refused(client: httpx2.Client, content: bytes, code: str) -> None:
    answer = send(client, content)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_unknown_ingestion_and_route_are_told(client: httpx2.Client) -> None:
    for path, code in (("/api/v1/status/ing_1", "ingestion.not_found"), ("/nothing", "request.no_such_route")):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, code)


def test_openapi_describes_every_route(client: httpx2.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert set(paths) == {SURVEY, FILE, "/api/v1/status/{ingestion_id}", "/health"}


def test_documentation_asks_nothing_of_another_machine(client: httpx2.Client) -> None:
    page = client.get("/docs").text
    assert "swagger-ui" in page
    assert "://" not in page.replace(str(client.base_url), "")
