"""The gate: what makes a challenger champion, and what keeps it from that."""

import json

import numpy as np
import pandas as pd
import pytest

from benchmarks.gate import BETTER, EQUAL, Trial, make_trial
from ml.promotion.gate import Decision, decide
from ml.promotion.rules import Rule

TRIALS = 12


def trials(strength: float, seed: int = 3) -> list[Trial]:
    random = np.random.default_rng(seed)
    return [make_trial(random, strength) for _ in range(TRIALS)]


def judge(trial: Trial, rule: Rule | None = None, *, approved: bool = False) -> Decision:
    return decide(trial.rows, trial.challenger, trial.champion, rule=rule or Rule(), parity=0.0, approved=approved)


def failed(decision: Decision) -> set[str]:
    return {check.name for check in decision.checks if not check.has_passed}


@pytest.fixture(scope="module")
def trial() -> Trial:
    return make_trial(np.random.default_rng(1), BETTER)


def test_an_equal_challenger_stays_outside_and_a_better_one_gets_in() -> None:
    assert sum(judge(one).is_promoted for one in trials(EQUAL)) <= 1
    assert sum(judge(one).is_promoted for one in trials(BETTER)) >= TRIALS - 1


def test_the_champion_itself_is_no_better_than_the_champion(trial: Trial) -> None:
    same = Trial(trial.rows, trial.champion, trial.champion)
    assert failed(judge(same)) == {"auc_gain"}
    assert judge(same, approved=True).is_promoted


def test_no_word_lets_a_worse_one_in(trial: Trial) -> None:
    swapped = Trial(trial.rows, trial.challenger, trial.champion)
    assert "auc_gain" in failed(judge(swapped, approved=True))


def test_a_district_is_not_given_up_for_the_others(trial: Trial) -> None:
    """The AUC within each district, and of all, stays what it was: only the cut's errors tell."""
    challenger = trial.challenger.copy()
    inside = (trial.rows["district"] == "Rukungiri").to_numpy()
    challenger[inside] *= 0.85
    decision = judge(Trial(trial.rows, trial.champion, challenger))
    assert failed(decision) == {"exclusion_error_change:Rukungiri"}
    assert "In Rukungiri it misses" in decision.reason
    assert judge(Trial(trial.rows, trial.champion, challenger), Rule(default_quota=0.4)).is_promoted, "a quota mends it"


def test_probabilities_that_mean_something_else_are_refused(trial: Trial) -> None:
    sharper = trial.challenger**2 / (trial.challenger**2 + (1 - trial.challenger) ** 2)
    assert failed(judge(Trial(trial.rows, trial.champion, sharper))) == {
        "calibration_error",
        "calibration_error_change",
    }


def test_chance_is_no_lack_of_calibration() -> None:
    """So few households that a perfect model's calibration error is beyond the limit."""
    trial = make_trial(np.random.default_rng(2), EQUAL)
    few = np.arange(len(trial.rows)) % 12 == 0
    decision = decide(trial.rows[few].reset_index(drop=True), trial.challenger[few], None, rule=Rule(), parity=0.0)
    (check,) = [check for check in decision.checks if check.name == "calibration_error"]
    assert check.has_passed
    assert check.limit > 0.05


def test_the_first_model_is_held_against_a_coin(trial: Trial) -> None:
    decision = decide(trial.rows, trial.challenger, None, rule=Rule(), parity=0.0)
    assert (decision.route, decision.is_promoted) == ("first", True)
    coin = np.random.default_rng(4).permutation(trial.challenger)
    assert "auc" in failed(decide(trial.rows, coin, None, rule=Rule(), parity=0.0))


def test_a_stored_model_that_says_something_else_is_refused(trial: Trial) -> None:
    assert failed(decide(trial.rows, trial.challenger, None, rule=Rule(), parity=1e-6)) == {"parity"}
    assert failed(decide(trial.rows, trial.challenger, None, rule=Rule(), parity=float("nan"))) == {"parity"}


def test_the_same_question_has_the_same_answer(trial: Trial) -> None:
    assert judge(trial) == judge(trial)
    pd.testing.assert_frame_equal(trial.rows, make_trial(np.random.default_rng(1), BETTER).rows)


def test_the_details_are_plain_figures(trial: Trial) -> None:
    details = judge(trial).details
    assert details["route"] == "superior"
    assert {check["name"] for check in details["checks"]} >= {"auc_gain", "parity", "calibration_error"}
    strange = decide(trial.rows, trial.challenger, None, rule=Rule(), parity=float("nan"))
    json.dumps(strange.details, allow_nan=False)
