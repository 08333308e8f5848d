"""Performance after the training: as a champion's own probabilities let expect, and as incomes show when they come.

The expected accuracy is the mean of max(p, 1 - p) (confidence-based performance estimation, NannyML's CBPE): it
needs no income, trusts the calibration, and so cannot see that incomes have come to depend on something else. Both
accuracies are those of the cut at 0.5, whatever threshold the policy sets: they judge the model, not the policy.
"""

from dataclasses import dataclass
from typing import Any, Literal

import psycopg

from ml.tracks import Track
from ml.watching.batch import Batch, WatchedModel, newest_batches, watched_models
from ml.watching.reference import EXPECTED_ACCURACY, STATEMENTS, limits_at
from warehouse.database import Database, fetch_row

Kind = Literal["expected", "real"]
Bounds = tuple[float | None, float | None]

# Half the width of a 95 % interval, in standard errors.
NORMAL_95 = 1.96


@dataclass(frozen=True)
class PerformanceCheck:
    """How good a champion is on households that it was not trained on.

    Attributes:
        kind: expected, of what a run newly scored; real, of all whose income came after the training.
        lower_bound: lower end of the 95 % interval of the accuracy, which knows that households of a village are
            alike; None where there is one village only.
        auc: area under the ROC curve, expected or real; None where all households are alike.
    """

    track: Track
    model_name: str
    model_version: int
    kind: Kind
    households: int
    accuracy: float
    lower_bound: float | None
    upper_bound: float | None
    auc: float | None


def check_performance(database: Database, run_id: str) -> list[PerformanceCheck]:
    """Tell the expected and the real accuracy of each champion, and keep them.

    Training rows are left out, and so are households that were surveyed anew after they were trained on. A run
    that scored nothing new has no expected accuracy.
    """
    with database.transaction() as connection:
        checks = [_expect(connection, batch) for batch in newest_batches(connection, run_id)]
        verified = [_verify(connection, model) for model in watched_models(connection)]
        checks += [check for check in verified if check]
        connection.cursor().executemany(
            STATEMENTS["insert_performance_check"], [{**vars(check), "run_id": run_id} for check in checks]
        )
    return checks


def _expect(connection: psycopg.Connection, batch: Batch) -> PerformanceCheck:
    row = fetch_row(connection, STATEMENTS["select_expected_performance"], vars(batch)) or {}
    limits = limits_at(connection, batch.model_name, batch.model_version, row["households"])
    error = limits.get(EXPECTED_ACCURACY)
    bounds = (error.lower_limit, error.upper_limit) if error else (None, None)
    return _check(batch, "expected", row, bounds)


def _verify(connection: psycopg.Connection, model: WatchedModel) -> PerformanceCheck | None:
    row = fetch_row(connection, STATEMENTS["select_real_performance"], vars(model))
    if row is None:
        return None
    error = row["standard_error"]
    return _check(model, "real", row, (None, None) if error is None else (-NORMAL_95 * error, NORMAL_95 * error))


def _check(model: WatchedModel, kind: Kind, row: dict[str, Any], errors: Bounds) -> PerformanceCheck:
    lower, upper = (None if error is None else min(max(row["accuracy"] + error, 0.0), 1.0) for error in errors)
    return PerformanceCheck(
        track=model.track,
        model_name=model.model_name,
        model_version=model.model_version,
        kind=kind,
        households=row["households"],
        accuracy=row["accuracy"],
        lower_bound=lower,
        upper_bound=upper,
        auc=row["auc"],
    )
