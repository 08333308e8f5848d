"""The gate: whether a challenger may take the champion's place.

Both are judged on the same households by probabilities that are out of fold. What could be chance is settled by
drawing villages with replacement: both models meet the same draws, so what is hard in a village is hard for both.
`python -m benchmarks.gate` tells how often the gate errs.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from ml.measures import calibration_gaps
from ml.promotion.rules import Rule, districts_of
from ml.resampling import DRAWS, Floats, Weights, area_under_curve, draw_areas_under_curve, draw_villages
from ml.splits import SEED
from ml.sums import BINS, Truth, sums_of_calibration

Route = Literal["first", "superior", "approved"]

# A gain counts when the lower end of its 95 % interval is above nothing, or with an approver's word above a loss that
# is too small to matter.
LEAST_GAIN: dict[Route, float] = {"superior": 0.0, "approved": -0.005}
SURE_GAIN = 2.5
# Harm counts when it is beyond its limit and the lower end of its 90 % interval is above nothing.
SURE_HARM = 5.0
# A district may miss so much more of its vulnerable households. Without asking for chance the gate would refuse every
# fifth challenger that is better everywhere: between two models of equal worth the difference varies by 2 to 4 points
# in a district of 600 households.
WORSE_EXCLUSION = 0.02
CALIBRATION_ERROR = 0.05
WORSE_CALIBRATION = 0.01
PARITY = 1e-9


@dataclass(frozen=True)
class Check:
    """One question of the gate.

    Attributes:
        name: what was looked at.
        has_passed: the answer.
        observed: what was seen, in the unit of the limit.
        limit: what it was held against.
        bound: the end of the observed value's interval that decided, where chance plays a part.
        statement: the same in words.
    """

    name: str
    has_passed: bool
    observed: float
    limit: float
    bound: float | None
    statement: str


@dataclass(frozen=True)
class Decision:
    """What the gate says.

    Attributes:
        route: first: there is no champion to compare with; superior: it has to be better; approved: it has to be
            no worse, because somebody answers for it.
    """

    route: Route
    checks: tuple[Check, ...]

    @property
    def is_promoted(self) -> bool:
        """Whether the challenger becomes the champion."""
        return all(check.has_passed for check in self.checks)

    @property
    def reason(self) -> str:
        """The sentences that decided: the failures, or all where there is none."""
        failures = [check.statement for check in self.checks if not check.has_passed]
        return " ".join(failures or [check.statement for check in self.checks])

    @property
    def details(self) -> dict[str, Any]:
        """All figures, as plain JSON."""
        checks = [{name: _plain(value) for name, value in asdict(check).items()} for check in self.checks]
        return {"route": self.route, "draws": DRAWS, "seed": SEED, "checks": checks}


@dataclass(frozen=True)
class _Trial:
    """What all checks share: the households, and the draws of their villages."""

    rows: pd.DataFrame
    truth: Truth
    weights: Weights

    def sum(self, values: Floats) -> Floats:
        """The sum of a value of the households in each draw."""
        villages = np.bincount(self.truth.villages, values, minlength=self.weights.shape[1])
        return np.asarray(self.weights @ villages, dtype=np.float64)


def decide(
    rows: pd.DataFrame,
    challenger: Floats,
    champion: Floats | None,
    *,
    rule: Rule,
    parity: float,
    approved: bool = False,
) -> Decision:
    """Decide about a challenger.

    Args:
        rows: labelled households, with district, village, income and target.
        challenger: its probabilities of being vulnerable, out of fold.
        champion: those of the champion, likewise; None for the first model of a track, or where the champion cannot
            score the features of today.
        rule: the policy by which households are selected; both models select by thresholds of their own.
        parity: the largest difference between the stored model's probability and the fitted one's.
        approved: somebody answers for it, so that it needs to be no worse only.
    """
    truth = Truth.of(rows)
    trial = _Trial(rows, truth, draw_villages(int(truth.villages.max()) + 1, SEED))
    checks = [_check_parity(parity), _check_calibration(trial, challenger)]
    if champion is None:
        return Decision("first", (*checks, _check_worth(trial, challenger)))
    route: Route = "approved" if approved else "superior"
    checks += [_check_gain(trial, challenger, champion, LEAST_GAIN[route])]
    checks += [_check_worse_calibration(trial, challenger, champion)]
    return Decision(route, (*checks, *_check_districts(trial, challenger, champion, rule)))


def _check_parity(parity: float) -> Check:
    has_passed = parity <= PARITY
    said = f"Stored and fitted, it differs by {parity:.1g} at most; {PARITY:.0e} is allowed."
    return Check("parity", has_passed, parity, PARITY, None, said)


def _check_worth(trial: _Trial, probability: Floats) -> Check:
    area = area_under_curve(trial.truth.target, probability)
    bound = _lower(
        draw_areas_under_curve(trial.truth.target, probability, trial.truth.villages, trial.weights), SURE_GAIN
    )
    said = f"Its AUC is {area:.3f}, at least {bound:.3f}; a coin's is 0.5."
    return Check("auc", bound > 0.5, area, 0.5, bound, said)


def _check_gain(trial: _Trial, challenger: Floats, champion: Floats, limit: float) -> Check:
    truth = trial.truth
    gain = area_under_curve(truth.target, challenger) - area_under_curve(truth.target, champion)
    new, old = (
        draw_areas_under_curve(truth.target, one, truth.villages, trial.weights) for one in (challenger, champion)
    )
    bound = _lower(new - old, SURE_GAIN)
    said = f"Its AUC is {abs(gain):.4f} {_side(gain)} the champion's; the gain is {bound:.4f} at least"
    said += f", and more than {limit} is asked for."
    return Check("auc_gain", bound > limit, gain, limit, bound, said)


def _check_calibration(trial: _Trial, probability: Floats) -> Check:
    """The error itself, or what chance does to a perfect model of so few households, may reach the limit."""
    error, _ = _calibration(trial, probability)
    limit = max(CALIBRATION_ERROR, _calibration_by_chance(trial, probability))
    said = f"Its calibration error is {error:.3f}; {limit:.3f} is allowed."
    return Check("calibration_error", error <= limit, error, limit, None, said)


def _check_worse_calibration(trial: _Trial, challenger: Floats, champion: Floats) -> Check:
    (new, new_draws), (old, old_draws) = _calibration(trial, challenger), _calibration(trial, champion)
    bound = _lower(new_draws - old_draws, SURE_HARM)
    has_passed = new - old <= WORSE_CALIBRATION or bound <= 0
    said = f"Its calibration error is {abs(new - old):.3f} {_side(new - old)} the champion's."
    return Check("calibration_error_change", has_passed, new - old, WORSE_CALIBRATION, bound, said)


def _calibration(trial: _Trial, probability: Floats) -> tuple[float, Floats]:
    columns = sums_of_calibration(trial.truth, probability)
    gaps, shares = calibration_gaps({name: np.asarray(values.sum()) for name, values in columns.items()})
    drawn_gaps, drawn_shares = calibration_gaps({name: trial.sum(values) for name, values in columns.items()})
    return float((shares * np.abs(gaps)).sum()), (drawn_shares * np.abs(drawn_gaps)).sum(axis=-1)


def _calibration_by_chance(trial: _Trial, probability: Floats) -> float:
    """The error that a perfectly calibrated model of these households stays under in 95 of 100 samples."""
    columns, variance = sums_of_calibration(trial.truth, probability), probability * (1 - probability)
    deviations = np.sqrt([columns[f"households_{bin_}"] @ variance for bin_ in range(BINS)])
    excess = np.random.default_rng(SEED).standard_normal((DRAWS, BINS)) * deviations
    return float(np.percentile(np.abs(excess).sum(axis=1) / len(probability), 100 - SURE_HARM))


def _check_districts(trial: _Trial, challenger: Floats, champion: Floats, rule: Rule) -> Iterator[Check]:
    districts = districts_of(trial.rows)
    missed = [
        trial.truth.target * ~rule.derive(one, districts).select(one, districts) for one in (challenger, champion)
    ]
    for district in np.unique(districts[trial.truth.target == 1]):
        inside = (districts == district) & (trial.truth.target == 1)
        change = float((missed[0] - missed[1])[inside].mean())
        with np.errstate(divide="ignore", invalid="ignore"):
            draws = trial.sum((missed[0] - missed[1]) * inside) / trial.sum(inside.astype(np.float64))
        bound = _lower(draws, SURE_HARM)
        has_passed = change <= WORSE_EXCLUSION or bound <= 0
        said = f"In {district} it misses {abs(change):.1%} {'fewer' if change < 0 else 'more'} of the vulnerable"
        said += ", which may be chance." if has_passed and change > WORSE_EXCLUSION else "."
        yield Check(f"exclusion_error_change:{district}", has_passed, change, WORSE_EXCLUSION, bound, said)


def _plain(value: object) -> object:
    """A value as JSON has it: there is no infinity, and no number that is none."""
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _side(change: float) -> str:
    return "above" if change >= 0 else "below"


def _lower(draws: Floats, percent: float) -> float:
    """What the draws stay above but for some percent of them."""
    known = draws[np.isfinite(draws)]
    return float(np.percentile(known, percent)) if len(known) else float("-inf")
