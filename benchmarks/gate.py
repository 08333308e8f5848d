"""How often the gate errs, on made-up surveys whose truth is known: a Markdown table.

The need of a household is normal within its district and has a share in common with its village; it is vulnerable
when its need is above a line. A model sees a signal of the need, some of whose error the other model shares, and says
the true chance given its signal: both are calibrated by construction, and how strong a signal is decides the AUC.
"""

import argparse
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from threadpoolctl import threadpool_limits

from benchmarks.scratch import Row, print_table
from ml.features import TARGET
from ml.promotion.gate import decide
from ml.promotion.rules import Rule
from ml.resampling import Floats
from ml.splits import SEED
from ml.sums import INCOME

VILLAGES = {"Kanungu": 24, "Mitooma": 30, "Rubanda": 23, "Rukungiri": 32}
SHARES = {"Kanungu": 0.21, "Mitooma": 0.51, "Rubanda": 0.50, "Rukungiri": 0.46}
HOUSEHOLDS = 25
OF_VILLAGE = 0.07  # share of the variance that households of one village have in common
COMMON = 0.85  # correlation of the two models' errors: the gain then varies by 0.005, as between real models
EQUAL, BETTER, WORSE = 0.565, 0.611, 0.552  # correlation of signal and need: AUC 0.788, 0.808 and 0.783
DENIAL = 0.18  # in probits: eight points more of a district's vulnerable are missed, though the AUC is 0.02 better


@dataclass(frozen=True)
class Trial:
    """A made-up survey, and what two models say of it."""

    rows: pd.DataFrame
    champion: Floats
    challenger: Floats


def make_trial(random: np.random.Generator, strength: float) -> Trial:
    """A survey, a champion of AUC 0.788 and a challenger whose signal is of some strength."""
    districts = np.repeat(list(VILLAGES), [villages * HOUSEHOLDS for villages in VILLAGES.values()])
    villages = np.arange(len(districts)) // HOUSEHOLDS
    level = ndtri(np.array([SHARES[district] for district in districts]))
    need, own, other = (_clustered(random, villages) for _ in range(3))
    rows = pd.DataFrame(
        {
            "household_id": np.arange(len(districts)).astype(str),
            "district": districts,
            "village": villages.astype(str),
            TARGET: (level + need > 0).astype(float),
            INCOME: np.where(level + need > 0, 1.0, 3.0),
        }
    )
    error = COMMON * own + np.sqrt(1 - COMMON**2) * other
    return Trial(rows, _judge(level, need, own, EQUAL), _judge(level, need, error, strength))


def harm(trial: Trial) -> Trial:
    """The same survey with a challenger that is too sure that households of one district are well."""
    challenger = trial.challenger.copy()
    inside = (trial.rows["district"] == "Rukungiri").to_numpy()
    challenger[inside] = ndtr(ndtri(challenger[inside]) - DENIAL)
    return Trial(trial.rows, trial.champion, challenger)


def promoted(trials: Iterable[Trial], rule: Rule, *, approved: bool = False) -> float:
    """The share of challengers that the gate lets pass."""
    decisions = [
        decide(one.rows, one.challenger, one.champion, rule=rule, parity=0.0, approved=approved) for one in trials
    ]
    return sum(decision.is_promoted for decision in decisions) / len(decisions)


def measure(trials: int) -> list[Row]:
    """The shares as rows of a table."""
    random = np.random.default_rng(SEED)
    equal, better, worse = ([make_trial(random, one) for _ in range(trials)] for one in (EQUAL, BETTER, WORSE))
    harmful = [harm(trial) for trial in better]
    cut, quota = Rule(), Rule(default_quota=0.4)
    return [
        ("an equal challenger is promoted", f"{promoted(equal, cut):.1%}", "5 % at most"),
        ("the same under a quota of 40 %", f"{promoted(equal, quota):.1%}", "5 % at most"),
        ("a challenger whose AUC is 0.02 better", f"{promoted(better, cut):.1%}", "90 % at least"),
        ("the same under a quota of 40 %", f"{promoted(better, quota):.1%}", "90 % at least"),
        ("one that is 0.02 better and misses 8 points more in a district", f"{promoted(harmful, cut):.1%}", "-"),
        ("one that is 0.005 worse, approved by somebody", f"{promoted(worse, cut, approved=True):.1%}", "5 % at most"),
        ("an equal one, approved by somebody", f"{promoted(equal, cut, approved=True):.1%}", "-"),
    ]


def _clustered(random: np.random.Generator, villages: NDArray[np.int64]) -> Floats:
    """Standard normal values, of which those of one village have a share in common."""
    common = random.standard_normal(int(villages.max()) + 1)[villages]
    return np.sqrt(OF_VILLAGE) * common + np.sqrt(1 - OF_VILLAGE) * random.standard_normal(len(villages))


def _judge(level: Floats, need: Floats, error: Floats, strength: float) -> Floats:
    """The chance that need is above the line, given a signal of it and the district's level."""
    rest = np.sqrt(1 - strength**2)
    return np.asarray(ndtr((level + strength * (strength * need + rest * error)) / rest), dtype=np.float64)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=400, help="made-up surveys of each kind")
    options = parser.parse_args()
    with threadpool_limits(1):
        print_table(measure(options.trials))


if __name__ == "__main__":
    main()
