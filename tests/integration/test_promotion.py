"""Promotion, refusal, rollback and policies, on a real database and a real store."""

import numpy as np
import psycopg
import pytest

from ml.catalogue import TrainedModel, champions
from ml.promotion.consider import consider, restore
from ml.promotion.events import ModelEvent, earlier_champions, read_events
from ml.promotion.policies import current_policy, list_policies, require_districts, set_policy
from ml.promotion.rules import Rule
from ml.registry import record_event
from orchestration.context import Warehouse
from tests.registered import SIGNAL, make_features_function, make_scored_rows, register_model
from warehouse.errors import ConflictError, NotFoundError

PLAIN, GOOD, BETTER = 1.5, 1.2, 0.9  # noise: the less, the better


@pytest.fixture
def ready(warehouse: Warehouse) -> Warehouse:
    """A warehouse with a making of features."""
    make_features_function(warehouse.database)
    return warehouse


def add(warehouse: Warehouse, noise: float) -> TrainedModel:
    return register_model(warehouse, make_scored_rows(noise))


def champion(warehouse: Warehouse) -> int:
    return champions(warehouse.database)["screening"].model_version


def events(warehouse: Warehouse) -> list[ModelEvent]:
    with warehouse.database.transaction() as connection:
        return read_events(connection, "screening")


def told(warehouse: Warehouse) -> list[tuple[str, int]]:
    return [(event.event, event.model_version) for event in events(warehouse) if event.event != "registered"]


def ask(warehouse: Warehouse, model: TrainedModel, approval: str | None = None) -> bool:
    return consider(warehouse.database, warehouse.store, model, actor="ada", approval=approval).is_promoted


def give_back(warehouse: Warehouse, version: int | None = None) -> int:
    arguments = {"actor": "ada", "reason": "it missed the hills", "version": version}
    return restore(warehouse.database, warehouse.store, "screening", **arguments).model_version


def test_every_decision_is_written_down_with_its_figures(ready: Warehouse) -> None:
    first, worse, better = (add(ready, noise) for noise in (GOOD, PLAIN, BETTER))
    assert [ask(ready, model) for model in (first, worse, better)] == [True, False, True]
    assert told(ready) == [("promoted", 1), ("refused", 2), ("promoted", 3)]
    assert champion(ready) == 3
    refusal = next(event for event in events(ready) if event.event == "refused")
    assert refusal.actor == "ada"
    assert "Its AUC is" in refusal.reason
    checks = {check["name"]: check for check in refusal.details["checks"]}
    assert checks["auc_gain"]["observed"] < 0
    assert not checks["auc_gain"]["has_passed"]


def test_the_champion_is_judged_out_of_fold_and_by_its_predictions_of_what_came_later(ready: Warehouse) -> None:
    """A champion of half the rows meets a challenger of all; both say the same of every household."""
    rows = make_scored_rows(GOOD)
    rows["probability"] = 1 / (1 + np.exp(-rows[SIGNAL]))
    assert ask(ready, register_model(ready, rows.iloc[:600]))
    twin = register_model(ready, rows)
    decision = consider(ready.database, ready.store, twin, actor="ada")
    gain = next(check for check in decision.checks if check.name == "auc_gain")
    assert (gain.observed, gain.bound, gain.has_passed) == (0.0, 0.0, False)


def test_a_model_no_worse_needs_somebodys_word(ready: Warehouse) -> None:
    first, same = add(ready, GOOD), add(ready, GOOD)
    assert ask(ready, first)
    assert not ask(ready, same)
    assert ask(ready, same, "It is made of this year's surveys.")
    assert events(ready)[-1].reason.startswith("It is made of this year's surveys. Stored")
    assert events(ready)[-1].details["route"] == "approved"


def test_a_champion_of_other_features_cannot_stand_in_the_way(ready: Warehouse) -> None:
    assert ask(ready, add(ready, BETTER))
    old = add(ready, BETTER)
    make_features_function(ready.database, "select 2")
    with pytest.raises(ConflictError, match="made otherwise today"):
        ask(ready, old)
    decision = consider(ready.database, ready.store, add(ready, PLAIN), actor="kyalo")
    assert (decision.route, decision.is_promoted, champion(ready)) == ("first", True, 3)
    with pytest.raises(ConflictError, match="version 1 was trained on features"):
        give_back(ready)


def test_the_champion_is_not_promoted_again(ready: Warehouse) -> None:
    first = add(ready, GOOD)
    ask(ready, first)
    with pytest.raises(ConflictError, match="the champion already"):
        ask(ready, first)


def test_rolling_back_leads_step_by_step_to_the_first(ready: Warehouse) -> None:
    for noise in (PLAIN, GOOD, BETTER):
        ask(ready, add(ready, noise))
    assert [give_back(ready), give_back(ready), champion(ready)] == [2, 1, 1]
    with pytest.raises(NotFoundError, match="No version was champion"):
        give_back(ready)
    assert told(ready)[-2:] == [("rolled_back", 2), ("rolled_back", 1)]


def test_rolling_back_may_name_the_version(ready: Warehouse) -> None:
    for noise in (PLAIN, GOOD, BETTER):
        ask(ready, add(ready, noise))
    with pytest.raises(NotFoundError, match="Version 3"):
        give_back(ready, 3)
    assert give_back(ready, 1) == champion(ready) == 1


def test_after_a_rollback_the_next_promotion_counts_from_there(ready: Warehouse) -> None:
    for noise in (PLAIN, GOOD):
        ask(ready, add(ready, noise))
    give_back(ready)
    assert ask(ready, add(ready, BETTER))
    with ready.database.transaction() as connection:
        assert earlier_champions(read_events(connection, "screening")) == [1]


def test_no_way_leads_back_to_what_was_retired(ready: Warehouse) -> None:
    ask(ready, add(ready, PLAIN))
    with ready.database.transaction() as connection:
        retired = add(ready, GOOD)
        record_event(connection, retired, "retired", actor="kyalo", reason="The sample is gone.", run_id="test")
    ask(ready, add(ready, BETTER))
    with pytest.raises(NotFoundError, match="No version was champion"):
        give_back(ready)


def test_the_log_and_the_policies_are_kept(ready: Warehouse) -> None:
    ask(ready, add(ready, GOOD))
    for statement in ("delete from ml.model_events", "update ml.policies set reason = ''", "truncate ml.policies"):
        with pytest.raises(psycopg.errors.RestrictViolation), ready.database.transaction() as connection:
            connection.execute(statement.encode())


def test_a_quota_selects_its_share_of_each_district_whatever_the_champion(ready: Warehouse) -> None:
    first, better = add(ready, PLAIN), add(ready, BETTER)
    ask(ready, first)
    rule = Rule(default_quota=0.4, quotas={"Kanungu": 0.3})
    with ready.database.transaction() as connection:
        policy = set_policy(connection, rule, first, make_scored_rows(PLAIN), actor="ada", reason="There is money.")
    assert {name: round(policy.effects[name]["selected"] or 0, 2) for name in ("Kanungu", "Mitooma")} == {
        "Kanungu": 0.3,
        "Mitooma": 0.4,
    }
    ask(ready, better)
    with ready.database.transaction() as connection:
        followed = current_policy(connection)
    assert (followed.policy_version, followed.model_version) == (3, 2)
    assert (followed.default_quota, followed.quotas) == (0.4, {"Kanungu": 0.3})
    assert followed.reason == "There is money. Its thresholds follow model version 2."
    assert followed.thresholds != policy.thresholds
    assert followed.effects["Kanungu"]["selected"] == pytest.approx(0.3, abs=0.002)
    give_back(ready)
    with ready.database.transaction() as connection:
        assert [one.thresholds for one in list_policies(connection)][0::2] == [policy.thresholds, policy.thresholds]


def test_a_plain_cut_stays_as_it_is(ready: Warehouse) -> None:
    ask(ready, add(ready, GOOD))
    with ready.database.transaction() as connection:
        (policy,) = list_policies(connection)
    assert (policy.default_threshold, policy.thresholds, policy.default_quota) == (0.5, {}, None)


def test_a_quota_for_a_district_that_nobody_knows_is_refused() -> None:
    with pytest.raises(NotFoundError, match="Kampala") as refused:
        require_districts(Rule(default_quota=0.4, quotas={"Kampala": 0.3}), make_scored_rows(GOOD))
    assert "Kanungu, Mitooma" in refused.value.remedy
