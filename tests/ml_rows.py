"""Made-up rows of the feature mart, with its true columns, for the tests of `ml`."""

import numpy as np
import pandas as pd

from ml.features import INCOME, KEYS, TARGET, Feature, load_features
from tests.dbt_schemas import give_to_dbt
from warehouse.database import Database

DISTRICTS = ("Kanungu", "Mitooma", "Rubanda", "Rukungiri")
INCOMES = ("formal_employment_income", "seasonal_crop_income", "perennial_crop_income", "livestock_income")
BESIDE_THE_MART = """
create table if not exists validated.fct_households (received_at timestamptz);
create or replace function features.household_features(surveys jsonb) returns integer language sql as 'select 1';
"""
SQL_TYPES = {"numeric": "double precision", "boolean": "boolean", "category": "text"}


def make_rows(households: int = 400, villages: int = 20, seed: int = 1) -> pd.DataFrame:
    """Rows whose target is the sum of four incomes, which assets and phones betray a little."""
    random = np.random.default_rng(seed)
    village = np.arange(households) % villages
    rows = pd.DataFrame(
        {feature.name: _values(feature, households, random) for feature in load_features()},
    ).assign(
        household_id=[f"HH-{number:06d}" for number in range(households)],
        survey_round="2024",
        submission_id=[f"submission-{number}" for number in range(households)],
        district=[DISTRICTS[number % len(DISTRICTS)] for number in village],
        cluster=[f"Cluster {number % 5}" for number in village],
        village=[f"Village {number}" for number in village],
    )
    total = rows[list(INCOMES)].sum(axis=1).to_numpy()
    rows["assets_usd"] = total * random.lognormal(0.0, 1.2, households)
    rows["phones_owned"] = np.floor(total / 300 + random.normal(2.0, 1.8, households)).clip(0)
    rows[INCOME] = total * 1.77 / np.quantile(total, 0.45)
    rows[TARGET] = (rows[INCOME] < 1.77).astype(float)
    return rows


def write_mart(database: Database, rows: pd.DataFrame) -> None:
    """Replace features.fct_household_features, and what stands beside it after a build, by the given rows."""
    kinds = dict.fromkeys(KEYS, "category") | {feature.name: feature.kind for feature in load_features()}
    kinds |= {TARGET: "boolean", INCOME: "numeric"}
    columns = ", ".join(f"{name} {SQL_TYPES[kind]}" for name, kind in kinds.items())
    booleans = {name: "boolean" for name, kind in kinds.items() if kind == "boolean"}
    text = rows[list(kinds)].astype(booleans).to_csv(index=False, header=False)
    with database.transaction() as connection:
        connection.execute("drop table if exists features.fct_household_features")
        connection.execute(f"create table features.fct_household_features ({columns})".encode())
        with connection.cursor().copy("copy features.fct_household_features from stdin (format csv)") as copy:
            copy.write(text)
        connection.execute(BESIDE_THE_MART)
        give_to_dbt(connection)


def _values(feature: Feature, count: int, random: np.random.Generator) -> pd.Series:
    if feature.kind == "category":
        return pd.Series(random.choice(["1", "2", "3"], count), dtype="str")
    if feature.kind == "boolean":
        return pd.Series(random.integers(0, 2, count)).astype(float)
    return pd.Series(random.gamma(1.0, 200.0, count))
