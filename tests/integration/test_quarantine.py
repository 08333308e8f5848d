"""Review: what a rule keeps out is shown, decided about once, and the next build does what was decided."""

import io
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any
from urllib.parse import quote

import httpx2
import psycopg
import pytest
from typer.testing import CliRunner, Result

from ingest_api.auth.clients import add_client
from ingest_api.corrections import is_answer
from ingest_api.deciding import Verdict, correct_submission, decide_batch, decide_by_rule, decide_submissions
from ingest_api.loading import land_next
from ingest_api.receiving import receive_file
from ingest_api.reveal import reveal_household
from ingest_api.review import Action, Filters, get_details, list_quarantine
from orchestration.cli import app
from orchestration.context import Warehouse
from orchestration.dbt import Dbt
from tests.asking import ask
from tests.served import served, sign_in
from warehouse.contract import load_contract
from warehouse.database import queries
from warehouse.errors import BuildError, ConflictError, NotFoundError, RefusedRequestError, RefusedSurveyError
from warehouse.settings import get_settings

pytestmark = [pytest.mark.xdist_group("models"), pytest.mark.timeout(300)]

FORM = "household_survey"
SIZE, COLLISION, LAND = "household_size_out_of_range", "identifier_collision", "agricultural_land_acres_out_of_range"
API = "/api/v1/quarantine"
HEADER = "submission_id,household_id,district,household_size,survey_round,agricultural_land_acres,respondent_name\n"
CONSENTS = "submission_id,household_id,district,household_size,survey_round,consent\n"
QUARANTINED = (
    "released", "corrected", "corrected-badly", "discarded", "reopened", "undecided", "waived-in-part", "raced",
    "over/http", "at-the-terminal", "by-rule-1", "by-rule-2",
)  # fmt: skip
TWO_RULES = {"waived-in-part", "by-rule-2"}
# Texts as people write them: staging and the correction must agree which of them are values of a type.
TEXTS = (
    "5", "5.0", "+5", "-5", "5.5", ".5", "5.", "1e3", "1e400", "NaN", "0x1F", "1_000", "1234567890", "yes", "TRUE", "n",
    "maybe", "2026-02-28", "2026-02-30", "2026-02-28T10:00:00Z", "28/02/2026", "1 2 3", "1.0 2.0", "1,2", "many",
    "2026-2-8", "\u0665",
)  # fmt: skip
TYPED = {
    "integer": "household_size",
    "numeric": "agricultural_land_acres",
    "boolean": "has_electricity",
    "date": "survey_date",
    "multi-code": "banana_diseases",
}
MODELS = ("--select", "+int_submission_outcomes", "+int_quarantined_submissions", "gate_held", "gate_rejected")
NO_OTHER_TESTS = ("--indirect-selection", "empty")


def send(warehouse: Warehouse, text: str, form: str = FORM) -> str:
    receipt = receive_file(
        warehouse.database, warehouse.store, io.BytesIO(text.encode()), form=form, filename="s.csv", source="cli"
    )
    assert land_next(warehouse.database, warehouse.store) == receipt.ingestion_id
    return receipt.ingestion_id


def row(key: str, household: str, size: int, land: int = 2) -> str:
    return f"{key},{household},Kanungu,{size},2026,{land},Nakato {key}\n"


def bad_batch(name: str) -> str:
    """Twelve surveys, half of them impossible."""
    sizes = (*range(1, 7), *range(51, 57))
    return HEADER + "".join(row(f"{name}-{size}", f"{name}-{size}".upper(), size) for size in sizes)


def verdict(action: Action, **more: Any) -> Verdict:
    return Verdict(action, "reviewer", "asked by phone", **more)


@pytest.fixture(scope="module")
def judged(module_warehouse: Warehouse) -> tuple[Warehouse, dict[str, str]]:
    """A warehouse whose first build a gate has stopped, and its bad batches."""
    good = "".join(row(f"good-{number}", f"GOOD-{number}", 5) for number in range(80))
    bad = "".join(row(key, f"H-{key}", 400, -1 if key in TWO_RULES else 2) for key in QUARANTINED)
    twins = row("twin-1", "TWIN", 4) + row("twin-2", "TWIN", 5) + row("pair-1", "PAIR", 4) + row("pair-2", "PAIR", 5)
    send(module_warehouse, HEADER + good + bad + twins)
    send(module_warehouse, "submission_id,village,district\nundecided,V1,Kanungu\n", form="quarterly_report")
    batches = {name: send(module_warehouse, bad_batch(name)) for name in ("let-through", "thrown-away", "on-hold")}
    send(module_warehouse, f"{CONSENTS}refuses,H-REFUSES,Kanungu,5,2026,No\nmumbles,H-MUMBLES,Kanungu,5,2026,perhaps\n")
    names = ",".join(TYPED.values())
    texts = "".join(f"CAST-{place}" + f',"{text}"' * len(TYPED) + "\n" for place, text in enumerate(TEXTS))
    send(module_warehouse, f"household_id,{names}\n{texts}")
    with Dbt(module_warehouse) as dbt, pytest.raises(BuildError) as stopped:
        dbt.build(*MODELS, *NO_OTHER_TESTS)
    assert "gate_" in str(stopped.value)
    return module_warehouse, batches


@pytest.fixture
def warehouse(judged: tuple[Warehouse, dict[str, str]]) -> Warehouse:
    return judged[0]


def test_what_a_closed_gate_stops_can_be_reviewed(warehouse: Warehouse) -> None:
    assert not ask(warehouse, "select 1 where to_regclass('marts.fct_quarantined_submissions') is not null")
    quarantine = list_quarantine(warehouse.database, Filters(status="open"), limit=5)
    assert (len(quarantine.submissions), quarantine.counts["open"] > 20) == (5, True)
    assert {batch.status for batch in quarantine.batches} == {"held"}
    details = get_details(warehouse.database, "undecided")
    (reason,) = details.submission.reasons
    assert (reason["rule"], reason["values"], reason["dimension"]) == (SIZE, {"household_size": 400}, "validity")
    assert "between" in reason["message"]
    assert details.answers["household_id"] == "H-undecided"
    assert details.submission.age_days == 0


@pytest.mark.parametrize(
    ("filters", "listed"),
    [
        (Filters(rule=COLLISION), {"twin-1", "twin-2", "pair-1", "pair-2"}),
        (Filters(rule=LAND, district="Kanungu"), TWO_RULES),
        (Filters(district="Kitgum"), set()),
        (Filters(status="corrected", rule=COLLISION), set()),
    ],
)
def test_list_is_narrowed(warehouse: Warehouse, filters: Filters, listed: set[str]) -> None:
    quarantine = list_quarantine(warehouse.database, filters)
    assert {found.submission_id for found in quarantine.submissions} == listed


def test_list_by_batch(judged: tuple[Warehouse, dict[str, str]]) -> None:
    warehouse, batches = judged
    quarantine = list_quarantine(warehouse.database, Filters(ingestion_id=batches["on-hold"]))
    assert sum(quarantine.counts.values()) == len(quarantine.submissions) == 6


@pytest.mark.parametrize("name", TYPED.values())
def test_correction_takes_what_staging_takes(warehouse: Warehouse, name: str) -> None:
    (field,) = [field for field in load_contract(FORM).fields if field.name == name]
    statement = f"select household_id, {name} is not null from staging.stg_household_survey__submissions"
    taken = dict(ask(warehouse, f"{statement} where household_id like 'CAST-%'"))
    assert {text: is_answer(field, text) for text in TEXTS} == {
        text: taken[f"CAST-{place}"] for place, text in enumerate(TEXTS)
    }


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"colour": "red"}, "review.unknown_field"),
        ({"submission_id": "other"}, "review.unknown_field"),
        ({"household_size": "many"}, "review.bad_value"),
        ({"household_size": " 400 "}, "review.nothing_changed"),
        ({"household_id": ""}, "survey.no_household_id"),
    ],
)
def test_correction_is_refused(warehouse: Warehouse, changes: dict[str, str], code: str) -> None:
    with pytest.raises(RefusedSurveyError) as refused:
        correct_submission(warehouse.database, "undecided", changes, verdict("correct"), source="cli")
    assert refused.value.error_code == code
    assert not get_details(warehouse.database, "undecided").decisions


@pytest.mark.parametrize("answer", ["yes", "", "1"])
def test_no_correction_takes_a_refusal_back(warehouse: Warehouse, answer: str) -> None:
    with pytest.raises(ConflictError) as refused:
        correct_submission(warehouse.database, "refuses", {"Consent": answer}, verdict("correct"), source="cli")
    assert refused.value.error_code == "review.no_consent"
    assert not ask(warehouse, "select 1 from review.decisions where submission_id = 'refuses'")


def test_what_cannot_be_read_as_consent_can_be_corrected(warehouse: Warehouse) -> None:
    decision = correct_submission(warehouse.database, "mumbles", {"consent": "no"}, verdict("correct"), source="cli")
    assert decision.corrected_by


def test_decisions_need_a_reason_and_something_to_decide(warehouse: Warehouse) -> None:
    with pytest.raises(RefusedRequestError, match="reason"):
        decide_submissions(warehouse.database, ["undecided"], Verdict("discard", "reviewer", " "))
    with pytest.raises(NotFoundError, match="nobody"):
        decide_submissions(warehouse.database, ["undecided", "nobody"], verdict("discard"))
    with pytest.raises(ConflictError, match="not in quarantine"):
        decide_submissions(warehouse.database, ["good-1"], verdict("discard"))
    with pytest.raises(NotFoundError, match="No quality gate holds"):
        decide_batch(warehouse.database, "ing_1", verdict("discard"))
    with pytest.raises(ConflictError, match="is open"):
        decide_submissions(warehouse.database, ["undecided"], verdict("reopen"))
    assert not get_details(warehouse.database, "undecided").decisions  # all or none


def test_what_no_household_can_do_without_is_not_waived(warehouse: Warehouse) -> None:
    nowhere = list_quarantine(warehouse.database, Filters(rule="district_required")).submissions[0]
    with pytest.raises(ConflictError, match="without district"):
        decide_submissions(warehouse.database, [nowhere.submission_id], verdict("release"))
    with pytest.raises(ConflictError, match="cannot be released"):
        decide_by_rule(warehouse.database, "district_required", verdict("release"))
    assert not get_details(warehouse.database, nowhere.submission_id).decisions


def test_one_of_two_reviewers_sees_that_the_other_decided(warehouse: Warehouse) -> None:
    first = verdict("release")
    with ThreadPoolExecutor() as pool:
        with warehouse.database.transaction() as connection:
            connection.execute(queries("review")["one_at_a_time"])
            second = pool.submit(decide_submissions, warehouse.database, ["raced"], verdict("discard"))
            statement = (
                "insert into review.decisions (submission_id, decision, rules, decided_by, reason) "
                "values ('raced', 'release', array[%s], %s, %s)"
            )
            assert not wait([second], timeout=0.5).done
            connection.execute(statement.encode(), [SIZE, first.decided_by, first.reason])
        with pytest.raises(ConflictError, match="was released by reviewer"):
            second.result()
    with pytest.raises(ConflictError, match=r"by reviewer at .*: asked by phone"):
        decide_submissions(warehouse.database, ["raced"], verdict("discard"))
    with pytest.raises(ConflictError, match="meanwhile"):
        decide_submissions(warehouse.database, ["raced"], verdict("reopen", seen=None))


@pytest.mark.parametrize("statement", ["update review.decisions set reason = 'x'", "delete from review.decisions"])
def test_decisions_are_never_changed(warehouse: Warehouse, statement: str) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match="never changed"):
        ask(warehouse, statement)


@pytest.fixture(scope="module")
def offices(judged: tuple[Warehouse, dict[str, str]]) -> Iterator[dict[str, httpx2.Client]]:
    """A client of the API for each role."""
    warehouse, _ = judged
    with served(warehouse) as client:
        clients = {}
        for role in ("device", "office", "analyst", "admin"):
            given = add_client(warehouse.database, f"review-{role}", role)
            header = sign_in(client, given.name, given.secret)
            clients[role] = httpx2.Client(base_url=client.base_url, headers=header, timeout=30)
        yield clients
        for signed_in in clients.values():
            signed_in.close()


@pytest.mark.parametrize(("role", "status"), [("device", 403), ("analyst", 403), ("office", 200), ("admin", 200)])
def test_quarantine_is_for_offices(offices: dict[str, httpx2.Client], role: str, status: int) -> None:
    assert offices[role].get(API).status_code == status
    refused = offices[role].post(f"{API}/undecided/decision", json={"decision": "release", "reason": ""})
    assert refused.status_code == (403 if status == 403 else 422)


def test_correction_over_http(offices: dict[str, httpx2.Client], warehouse: Warehouse) -> None:
    office, address = offices["office"], f"{API}/{quote('over/http', safe='')}"
    assert office.get(address).json()["submission"]["failed_rules"] == [SIZE]
    said: dict[str, Any] = {"decision": "correct", "reason": "a typing error", "last_decision_id": None}
    for changes, status, code in (({"household_size": "many"}, 422, "bad_value"), ({"size": 1}, 422, "unknown_field")):
        answer = office.post(f"{address}/decision", json=said | {"changes": changes})
        assert (answer.status_code, answer.json()["code"]) == (status, f"review.{code}")
    decision = office.post(f"{address}/decision", json=said | {"changes": {"HouseholdSize": 4}}).json()
    assert (decision["decision"], decision["decided_by"]) == ("correct", "review-office")
    details = office.get(address).json()
    assert (details["submission"]["status"], details["submission"]["awaits_build"]) == ("corrected", True)
    assert [past["decision_id"] for past in details["decisions"]] == [decision["decision_id"]]
    again = office.post(f"{address}/decision", json=said | {"changes": {"household_size": 5}})
    assert (again.status_code, again.json()["code"]) == (409, "review.decided_meanwhile")
    assert office.get(f"{API}/nobody").status_code == 404
    (stored,) = ask(
        warehouse, "select source, client, correction_of is not null from raw.ingestions where client is not null"
    )
    assert stored == ("api", "review-office", True)


@pytest.fixture
def kyalo(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Result]]:
    """The command, on the test's warehouse."""
    for name, value in {**warehouse.database.environment(), "KYALO_HOME": str(warehouse.settings.home)}.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    yield lambda *arguments: CliRunner().invoke(app, ["quarantine", *arguments])
    get_settings.cache_clear()


def test_review_at_the_terminal(kyalo: Callable[..., Result]) -> None:
    assert "at-the-terminal" in kyalo("list", "--rule", SIZE).stdout
    assert "household_size = 400" in kyalo("show", "at-the-terminal").stdout
    assert kyalo("release", "at-the-terminal").exit_code == 2  # it needs a reason
    assert kyalo("release", "--reason", "x").exit_code == 2  # and something to decide about
    assert kyalo("correct", "at-the-terminal", "--set", "household_size", "--reason", "x").exit_code == 2
    done = kyalo("discard", "at-the-terminal", "--reason", "not a household", "--by", "Achieng", "--json")
    (decision,) = json.loads(done.stdout)
    assert (decision["decision"], decision["decided_by"], decision["rules"]) == ("discard", "Achieng", [])
    assert isinstance(kyalo("release", "at-the-terminal", "--reason", "x").exception, ConflictError)
    assert "at-the-terminal" not in kyalo("list").stdout
    listed = json.loads(kyalo("list", "--status", "discarded", "--json").stdout)
    assert "at-the-terminal" in {found["submission_id"] for found in listed["submissions"]}
    assert "done: opened again: 1 submission;" in kyalo("reopen", "at-the-terminal", "--reason", "x").stdout


def test_next_build_does_what_was_decided(judged: tuple[Warehouse, dict[str, str]]) -> None:
    warehouse, batches = judged
    database = warehouse.database
    decide_submissions(database, ["released", "reopened", "twin-1", "pair-1"], verdict("release"))
    decide_submissions(database, ["discarded", "thrown-away-51"], verdict("discard"))
    decide_submissions(database, ["reopened", "thrown-away-51"], verdict("reopen"))
    correct_submission(database, "pair-2", {"household_id": "PAIR-2"}, verdict("correct"), source="cli")
    corrected = {
        key: correct_submission(database, key, {"household_size": size}, verdict("correct"), source="cli").corrected_by
        for key, size in (("corrected", 7), ("corrected-badly", 70))
    }
    ask(
        warehouse,
        "insert into review.decisions (submission_id, decision, rules, decided_by, reason) "
        "values ('waived-in-part', 'release', array[%s], 'reviewer', 'the land is right') returning 1",
        LAND,
    )
    decide_batch(database, batches["let-through"], verdict("release"))
    decide_batch(database, batches["thrown-away"], verdict("discard"))
    with Dbt(warehouse) as dbt:
        dbt.build(*MODELS[:3], *NO_OTHER_TESTS)
    outcomes = dict(ask(warehouse, "select submission_id, outcome from validated.int_submission_outcomes"))
    assert {key: outcomes[key] for key in (*QUARANTINED[:7], "twin-1", "twin-2", "let-through-1", "on-hold-1")} == {
        "released": "released",
        "corrected": "superseded",
        "corrected-badly": "superseded",
        "discarded": "quarantined",
        "reopened": "quarantined",
        "undecided": "quarantined",
        "waived-in-part": "quarantined",  # the other rule holds it
        "twin-1": "released",
        "twin-2": "quarantined",
        "let-through-1": "released",
        "on-hold-1": "held",
    }
    assert outcomes[corrected["corrected"]] == "released"
    told = [each.answers["respondent_name"] for each in reveal_household(database, "H-CORRECTED")]
    assert told == ["Nakato corrected"] * 2  # who corrects another answer sees no name, and loses none
    assert outcomes[corrected["corrected-badly"]] == "quarantined"
    assert {outcomes[f"thrown-away-{size}"] for size in (1, 51)} == {"quarantined"}

    quarantine = list_quarantine(database, Filters())
    statuses = {found.submission_id: found.status for found in quarantine.submissions}
    assert not any(found.awaits_build for found in quarantine.submissions)
    assert (statuses["corrected"], statuses["waived-in-part"], statuses["thrown-away-1"]) == (
        "corrected", "open", "discarded",
    )  # fmt: skip
    assert statuses["thrown-away-51"] == "discarded"  # with its batch, later than it was opened again
    assert (statuses["pair-1"], statuses["pair-2"]) == ("released", "corrected")  # though they contest nothing any more
    assert {batch.ingestion_id for batch in quarantine.batches}.isdisjoint(
        (batches["let-through"], batches["thrown-away"])
    )
    assert decide_batch(database, batches["thrown-away"], verdict("reopen")).decision == "reopen"
    with pytest.raises(ConflictError, match="is corrected by"):
        decide_submissions(database, ["corrected-badly"], verdict("reopen"))
    correct_submission(
        database, str(corrected["corrected-badly"]), {"household_size": 8}, verdict("correct"), source="cli"
    )


def test_rule_is_waived_where_nothing_else_failed(warehouse: Warehouse) -> None:
    failed = list_quarantine(warehouse.database, Filters(status="open", rule=SIZE)).submissions
    released, left = decide_by_rule(warehouse.database, SIZE, verdict("release"))
    keys = {decision.submission_id for decision in released}
    assert "by-rule-1" in keys
    assert not keys & TWO_RULES
    assert len(failed) == len(released) + left > len(released)
    reopened, left = decide_by_rule(warehouse.database, SIZE, verdict("reopen"))
    assert keys <= {decision.submission_id for decision in reopened}
    assert left == 0
