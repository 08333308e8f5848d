"""Twins: every survey is sent five times at once, each is answered with success, and each is stored once."""

from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from orchestration.api_process import serving_api
from orchestration.context import Warehouse

pytestmark = pytest.mark.xdist_group("api")

SURVEY = "/api/v1/upload/survey-data"
SUBMISSIONS = 1_000
TWINS = 5
CONNECTIONS = 20


def send(client: httpx2.Client, number: int) -> tuple[int, int, str]:
    """Send a survey; every second one is named by its sender, the others by their content."""
    survey = {"household_id": f"TWIN-{number}", "survey_data": {"household_size": number % 9, "district": "Kitgum"}}
    headers = {"Idempotency-Key": f"twin-{number}"} if number % 2 else {}
    answer = client.post(SURVEY, json=survey, headers=headers)
    return number, answer.status_code, answer.json()["status"]


def test_a_thousand_surveys_sent_five_times_at_once_are_a_thousand_rows(warehouse: Warehouse) -> None:
    twins = [number for number in range(SUBMISSIONS) for _ in range(TWINS)]
    with serving_api(warehouse) as client, ThreadPoolExecutor(CONNECTIONS) as threads:
        answers = list(threads.map(lambda number: send(client, number), twins))
    assert len(answers) == SUBMISSIONS * TWINS
    assert {(status, said) for _, status, said in answers} == {(200, "success")}
    with warehouse.database.transaction() as connection:
        stored = connection.execute("select household_id from raw.household_survey").fetchall()
        balance = connection.execute(
            "select sum(received_rows), sum(stored_rows), sum(duplicate_rows), sum(conflict_rows) from raw.ingestions"
        ).fetchone()
    assert sorted(household for (household,) in stored) == sorted(f"TWIN-{number}" for number in range(SUBMISSIONS))
    assert balance == (5 * SUBMISSIONS, SUBMISSIONS, 4 * SUBMISSIONS, 0)
