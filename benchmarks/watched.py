"""A model of the households of some villages that watches those of others, as the pipeline does."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from psycopg import sql
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer

from benchmarks.scratch import timed
from ml.features import load_features, read_rows
from ml.leakage import track_features
from ml.splits import make_folds, place_groups, target_of
from ml.watching.drift import check_drift
from ml.watching.performance import check_performance
from ml.watching.reference import make_reference, store_reference
from orchestration.context import Warehouse
from orchestration.dbt import Dbt
from orchestration.loading import load_file
from warehouse.database import Database

FEATURES = track_features("screening", load_features())
TRAINING_VILLAGES = 110  # or, where there are few, a share of them
TRAINING_SHARE = 0.65
WITHOUT_TESTS = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
REGISTER = """
with
model as (
    insert into ml.models (
        model_name, model_version, track, algorithm, object_key, sha256, size_bytes, feature_names,
        training_fingerprint, metrics, metadata, run_id, artifact_kind
    )
    values (
        'benchmark', %(version)s, 'screening', 'logistic_regression', %(version)s::text, repeat('0', 64), 1,
        array['district'], '', '{}', '{}', 'benchmark', 'terms'
    )
    returning track, model_name, model_version
)

insert into ml.model_events (track, model_name, model_version, event, actor, reason, run_id)
select track, model_name, model_version, 'promoted', 'benchmark', 'It is measured.', 'benchmark'
from model
"""
PUT = """
insert into features.fct_household_features
select * from population where submission_id = any(%(submissions)s)
"""
SCORE = """
insert into ml.predictions (
    household_id, survey_round, submission_id, track, prediction, probability, confidence, risk_category, model_name,
    model_version, run_id, model_role, threshold, reasons, is_training_row
)
select
    mart.household_id, mart.survey_round, mart.submission_id, 'screening', 1, scored.probability, 0.5, 'low',
    'benchmark', %(version)s, 'benchmark', 'champion', 0.5, '[]', false
from features.fct_household_features as mart
inner join unnest(%(submissions)s::text[], %(scores)s::double precision[]) as scored (submission_id, probability)
    using (submission_id)
"""
COLUMNS = """
select attname from pg_attribute
where attrelid = 'features.fct_household_features'::regclass and attnum > 0 and not attisdropped
order by attnum
"""
IDENTIFIERS = ("household_round_id", "household_id", "submission_id")
COPIES = sql.SQL("""
insert into features.fct_household_features
select {columns}
from population
cross join generate_series(1, (select ceil({households}::numeric / count(*))::integer from population)) as copy
limit {households}
""")
SCORE_ALL = """
insert into ml.predictions (
    household_id, survey_round, submission_id, track, prediction, probability, confidence, risk_category, model_name,
    model_version, run_id, model_role, threshold, reasons, is_training_row
)
select
    household_id, survey_round, submission_id, 'screening', 1, random(), 0.5, 'low', 'benchmark',
    (select max(model_version) from ml.models), 'benchmark', 'champion', 0.5, '[]', false
from features.fct_household_features
"""


@dataclass(frozen=True)
class Population:
    """All labelled households, and where in them those of each village are."""

    rows: pd.DataFrame
    villages: list[NDArray[np.int64]]

    def draw(self, random: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The households of some villages, to train on, and those of the others, village after village."""
        order = random.permutation(len(self.villages))
        count = min(TRAINING_VILLAGES, round(TRAINING_SHARE * len(order)))
        training, others = (
            np.concatenate([self.villages[village] for village in part]) for part in (order[:count], order[count:])
        )
        return self.rows.iloc[training].reset_index(drop=True), self.rows.iloc[others]


class Watched:
    """A model of some households, and what it sees in batches of others."""

    def __init__(self, database: Database, version: int, training: pd.DataFrame) -> None:
        self._database, self._version = database, version
        self._columns = [feature.name for feature in FEATURES if feature.kind != "category"]
        model = make_pipeline(SimpleImputer(), QuantileTransformer(n_quantiles=100), LogisticRegression(C=0.1))
        known, target = training[self._columns].to_numpy(), target_of(training)
        folds = make_folds("village", training)
        out_of_fold = cross_val_predict(model, known, target, cv=folds, method="predict_proba")[:, 1]
        self._model = model.fit(known, target)
        reference = make_reference(FEATURES, training, out_of_fold)
        with database.transaction() as connection:
            connection.execute(REGISTER, {"version": version})
            store_reference(connection, "benchmark", version, reference)

    def sees_drift(self, batch: pd.DataFrame, change: str) -> bool:
        """Whether anything seems to have drifted in a batch that is changed and scored."""
        scores = self._model.predict_proba(batch[self._columns].to_numpy())[:, 1]
        values = {"submissions": batch["submission_id"].tolist(), "scores": scores.tolist(), "version": self._version}
        with self._database.transaction() as connection:
            connection.execute("truncate features.fct_household_features, ml.predictions")
            connection.execute(PUT, values)
            connection.execute(sql.SQL("update features.fct_household_features set {}").format(sql.SQL(change)))
            connection.execute(SCORE, values)
        return any(check.has_drifted for check in check_drift(self._database, "benchmark"))

    def is_covered(self) -> bool:
        """Whether the real accuracy of the last batch lies in the interval of the expected one."""
        expected, real = check_performance(self._database, "benchmark")
        lower, upper = expected.lower_bound, expected.upper_bound
        return lower is not None and upper is not None and lower <= real.accuracy <= upper


def build(warehouse: Warehouse, surveys: Path) -> Population:
    """Build the feature mart of a file of surveys; the table population is a copy of it."""
    load_file(warehouse, surveys, "household_survey")
    with Dbt(warehouse) as dbt:
        dbt.build("--select", "+fct_household_features", *WITHOUT_TESTS)
    with warehouse.database.transaction() as connection:
        connection.execute("create table population as table features.fct_household_features")
    rows = pd.concat(read_rows(warehouse.database, FEATURES, labelled_only=True), ignore_index=True)
    villages = place_groups("village", rows)
    return Population(rows, [np.flatnonzero(villages == village) for village in range(villages.max() + 1)])


def time_check(database: Database, households: int) -> float:
    """Seconds that one check of so many households takes, of all features and the score."""
    with database.transaction() as connection:
        connection.execute("truncate features.fct_household_features, ml.predictions")
        columns = [
            sql.SQL("{} || '-' || copy" if name in IDENTIFIERS else "{}").format(sql.Identifier(name))
            for (name,) in connection.execute(COLUMNS)
        ]
        connection.execute(COPIES.format(columns=sql.SQL(", ").join(columns), households=households))
        connection.execute(SCORE_ALL)
        connection.execute("analyze features.fct_household_features, ml.predictions")
    return timed(lambda: check_drift(database, "benchmark"))
