"""Answers for households at once, over HTTP."""

import math
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import orjson
import pytest
from psycopg import sql

from benchmarks.parity import compare_payloads, make_payloads
from ingest_api.auth.clients import add_client
from ml.online import LOOK_SECONDS
from orchestration.context import Warehouse
from orchestration.serving_surveys import read_surveys
from tests.online_models import make_model, promote
from tests.served import served, sign_in
from warehouse.crypto.keys import load_key_ring

pytestmark = [pytest.mark.xdist_group("predict"), pytest.mark.timeout(300)]

PREDICT = "/api/v1/predict"
WEIGHTS = {"household_size": 0.25, "phones_owned": -0.5, "agricultural_land_acres": -1.0}
REPLACE_FEATURES = """
do $do$
begin
    execute replace(pg_get_functiondef('features.household_features(jsonb)'::regprocedure), '{old}', '{new}');
end
$do$
"""
WITHDRAWN = """
create schema if not exists validated;
create table validated.int_withdrawn_consents as select 'KAN-WITHDREW'::text as household_id;
grant usage on schema validated to kyalo_scorer;
grant select on validated.int_withdrawn_consents to kyalo_scorer
"""
HOUSEHOLD = {"household_id": "kan-1", "District": "Kanungu", "HouseholdSize": "6.0", "phones_owned": 1, "roof": "tin"}


@pytest.fixture(scope="module")
def client(module_warehouse: Warehouse) -> Iterator[httpx2.Client]:
    """A client of an API whose champions are made by hand."""
    compare_payloads(module_warehouse, list(make_payloads(10, seed=1)))
    promote(module_warehouse, make_model("screening", WEIGHTS), 1)
    promote(module_warehouse, make_model("assessment", {"formal_employment_income": -0.01, "household_size": 0.1}), 1)
    given = add_client(module_warehouse.database, "tablet-17", "device")
    with served(module_warehouse, rate_limit_per_minute=0) as client:
        client.headers |= sign_in(client, given.name, given.secret)
        yield client


def ask(client: httpx2.Client, *households: dict[str, Any], track: str = "screening") -> dict[str, Any]:
    answer = client.post(PREDICT, params={"track": track}, json=list(households))
    return dict(answer.raise_for_status().json())


def refusal(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def execute(warehouse: Warehouse, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with warehouse.database.transaction() as connection:
        cursor = connection.execute(sql.SQL(statement), values)  # type: ignore[arg-type]
        return cursor.fetchall() if cursor.description else []


def test_household_is_answered_with_its_reasons(client: httpx2.Client) -> None:
    said = client.post(PREDICT, json=HOUSEHOLD).raise_for_status().json()
    assert (said["model_name"], said["model_version"], said["policy_version"]) == ("vulnerability_screening", 1, 1)
    assert said["unknown_fields"] == {"roof": 1}
    (household,) = said["predictions"]
    probability = 1 / (1 + math.exp(-1))
    assert household["household_id"] == "KAN-1"
    assert household["probability"] == pytest.approx(probability, abs=1e-12)
    assert household["probability_below_125"] < probability < household["probability_below_215"]
    assert household["reasons"] == [
        {"feature": "household_size", "value": 6, "effect": 1.5},
        {"feature": "phones_owned", "value": 1, "effect": -0.5},
    ]
    said_of_it = [household[name] for name in ("prediction", "confidence", "verdict", "threshold", "missing_features")]
    assert said_of_it == [1, household["probability"], "vulnerable", 0.5, 1]
    assert (household["predicted_status"], household["risk_category"]) == ("severely_struggling", "critical")


def test_nobody_is_scored_who_does_not_consent(client: httpx2.Client, module_warehouse: Warehouse) -> None:
    refusing = [
        HOUSEHOLD | {"household_id": "kan-refuses", "consent": "No"},
        HOUSEHOLD | {"household_id": " kan-withdrew"},
    ]
    execute(module_warehouse, WITHDRAWN)
    said = ask(client, refusing[0], HOUSEHOLD, refusing[1])
    assert [household["household_id"] for household in said["predictions"]] == ["KAN-1"]
    assert [(row["row_number"], row["reason_code"]) for row in said["rejected_rows"]] == [
        (1, "row.no_consent"), (3, "row.no_consent"),
    ]  # fmt: skip
    assert refusal(client.post(PREDICT, json=refusing[1])) == (422, "survey.no_consent")
    asked_for = execute(
        module_warehouse, "select count(*) from ml.prediction_requests where answers::text ~ 'KAN-(REFUSES|WITHDREW)'"
    )
    assert asked_for == [(0,)]


def test_nested_and_flat_surveys_are_answered_alike_and_in_their_order(client: httpx2.Client) -> None:
    flat = [{"household_id": f"kan-{size}", "household_size": size} for size in range(1, 40)]
    nested = [
        {"household_id": one["household_id"], "survey_data": {"HouseholdSize": one["household_size"]}} for one in flat
    ]
    first, second = ask(client, *flat)["predictions"], ask(client, *nested)["predictions"]
    assert first == second
    assert [one["household_id"] for one in first] == [f"KAN-{size}" for size in range(1, 40)]
    assert sorted(one["probability"] for one in first) == [one["probability"] for one in first]


def test_answer_is_on_record(client: httpx2.Client, module_warehouse: Warehouse) -> None:
    said = ask(client, HOUSEHOLD)
    ((who, households, features, answers, milliseconds),) = execute(
        module_warehouse,
        "select client, households, features, answers, milliseconds from ml.prediction_requests where request_id = %s",
        said["request_id"],
    )
    assert (who, households) == ("tablet-17", 1)
    assert features == [{"household_size": 6, "phones_owned": 1, "agricultural_land_acres": None}]
    assert answers == said["predictions"]
    assert 0 < milliseconds < 30_000


def test_the_database_is_sent_no_person(module_warehouse: Warehouse) -> None:
    person = {"respondent_name": "Nakato Sarah", "phone_number": "0772637111", "latitude": "-0.97311234"}
    body = orjson.dumps([{"household_id": "kan-1", "survey_data": person}, {"household_id": "0772637112"}])
    (named, numbered) = read_surveys(load_key_ring(module_warehouse.settings), body).answers.values()
    assert named["household_id"] == "kan-1"
    assert named["latitude"] == "-0.97"
    hidden = (named["respondent_name"], named["phone_number"], numbered["household_id"])
    assert all(answer.startswith("personal:") for answer in hidden)


def test_household_that_cannot_be_read_costs_the_others_nothing(client: httpx2.Client) -> None:
    said = ask(client, {"household_size": 4}, HOUSEHOLD, {"household_id": "x" * 300})
    assert [one["household_id"] for one in said["predictions"]] == ["KAN-1"]
    reasons = [(row["row_number"], row["reason_code"]) for row in said["rejected_rows"]]
    assert reasons == [(1, "row.no_household_id"), (3, "row.name_too_long")]


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ({"household_size": 4}, (422, "survey.no_household_id")),
        ({"household_id": " ", "household_size": 4}, (422, "survey.no_household_id")),
        ({"household_id": "a", "survey_data": {"household_id": "b"}}, (422, "survey.two_households")),
        ([HOUSEHOLD] * 1001, (422, "batch.too_many")),
        ([], (422, "survey.not_a_survey")),
        ("one", (422, "survey.not_a_survey")),
    ],
)
def test_what_is_no_survey_is_refused_with_its_reason(
    client: httpx2.Client, body: object, refused: tuple[int, str]
) -> None:
    assert refusal(client.post(PREDICT, json=body)) == refused


def test_unknown_track_wrong_type_and_large_body_are_refused(client: httpx2.Client) -> None:
    assert refusal(client.post(PREDICT, params={"track": "both"}, json=HOUSEHOLD)) == (400, "request.bad_track")
    assert refusal(client.post(PREDICT, content=b"a=b")) == (415, "request.wrong_content_type")
    assert refusal(client.post(PREDICT, json={"household_id": "a" * 9_000_000})) == (413, "request.too_large")
    assert refusal(client.post(PREDICT, json=HOUSEHOLD, headers={"Authorization": ""})) == (401, "auth.missing_token")


def test_assessment_needs_the_income_module(client: httpx2.Client) -> None:
    household = {**HOUSEHOLD, "formal_employment_income": "100"}
    (answer,) = ask(client, household, track="assessment")["predictions"]
    assert answer["probability"] == pytest.approx(1 / (1 + math.exp(0.4)), abs=1e-12)
    refused = client.post(PREDICT, params={"track": "assessment"}, json=[household, HOUSEHOLD])
    assert refusal(refused) == (422, "survey.no_income_module")


def test_newer_champion_and_policy_answer_within_a_second(client: httpx2.Client, module_warehouse: Warehouse) -> None:
    before = ask(client, HOUSEHOLD)
    promote(module_warehouse, make_model("screening", {**WEIGHTS, "household_size": 0.5}), 2)
    execute(
        module_warehouse,
        "insert into ml.policies (track, default_threshold, thresholds, actor, reason) "
        "values ('screening', 0.5, '{\"Kanungu\": 0.99}', 'test', 'a quota')",
    )
    time.sleep(LOOK_SECONDS)
    here, elsewhere = HOUSEHOLD, {**HOUSEHOLD, "District": "Mitooma"}
    after = ask(client, here, elsewhere)
    assert (before["model_version"], after["model_version"]) == (1, 2)
    assert after["policy_version"] > before["policy_version"]
    assert [(one["threshold"], one["prediction"]) for one in after["predictions"]] == [(0.99, 0), (0.5, 1)]


def test_features_of_another_making_are_refused(client: httpx2.Client, module_warehouse: Warehouse) -> None:
    promote(module_warehouse, make_model("screening", WEIGHTS), 3, feature_set_version="0123456789abcdef")
    time.sleep(LOOK_SECONDS)
    assert refusal(client.post(PREDICT, json=HOUSEHOLD)) == (409, "ml.other_feature_set")


def test_features_that_are_made_anew_are_noticed_at_once(client: httpx2.Client, module_warehouse: Warehouse) -> None:
    promote(module_warehouse, make_model("screening", WEIGHTS), 4)
    time.sleep(LOOK_SECONDS)
    assert ask(client, HOUSEHOLD)["model_version"] == 4
    before, after = "AS $function$", "AS $function$ /* of today */"
    execute(module_warehouse, REPLACE_FEATURES.format(old=before, new=after))
    assert refusal(client.post(PREDICT, json=HOUSEHOLD)) == (409, "ml.other_feature_set")
    execute(module_warehouse, REPLACE_FEATURES.format(old=after, new=before))
    assert ask(client, HOUSEHOLD)["model_version"] == 4


def test_changed_model_is_refused(client: httpx2.Client, module_warehouse: Warehouse) -> None:
    promote(module_warehouse, make_model("screening", WEIGHTS), 5)
    execute(module_warehouse, "update ml.models set sha256 = repeat('0', 64) where model_version = 5")
    time.sleep(LOOK_SECONDS)
    assert refusal(client.post(PREDICT, json=HOUSEHOLD)) == (500, "integrity.mismatch")


def test_without_a_model_or_features_the_answer_says_so(warehouse: Warehouse) -> None:
    given = add_client(warehouse.database, "office", "office")
    with served(warehouse) as client:
        client.headers |= sign_in(client, given.name, given.secret)
        assert refusal(client.post(PREDICT, json=HOUSEHOLD)) == (404, "ml.no_model")
