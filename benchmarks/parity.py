"""Answers at once against the feature mart: surveys full of strange answers through both; prints a Markdown table.

Each survey is landed as any other is, staged and made into features by dbt, and given to the function that the API
asks. Rules are left out: what they would keep from the mart is compared, too.
"""

import argparse
import csv
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from psycopg import sql

from benchmarks.scratch import Row, print_table, scratch_folder, scratch_warehouse
from ingest_api.receiving import receive_batch
from ingest_api.senders import Sender
from ml.features import load_features
from orchestration.context import Warehouse
from orchestration.dbt import Dbt
from orchestration.serving_surveys import FORM, MOST_HOUSEHOLDS, read_surveys
from warehouse.contract import load_contract
from warehouse.crypto.keys import load_key_ring
from warehouse.database import Database
from warehouse.settings import PROJECT_ROOT

SAMPLE = PROJECT_ROOT / "orchestration" / "sample_data" / "household_survey.csv"
WITHOUT_TESTS = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
TOGETHER = 10_000
STRANGE: tuple[Any, ...] = (
    None, "", "  ", "\u00a0", "\t\r\n", "-99", "-99.0", "-98", "97", "98", "99",
    True, False, "yes", "NO", "T", "f", "maybe", 0, 1, -1, 1.0, 2.50, "1.0", "01", "+3", "-0", "-0.0", ".5", "5.",
    "1e3", "1E-3", "1,000", "1_000", "0x1F", "abc", "NaN", "Infinity", "-Infinity", "null", "`",
    999999999, -999999999, 2147483647, 2147483648, 9999999999, "1e99", "-1e99", "1e-99", "1e100", 1e308,
    123456789012345678901234567890, "9" * 30, "9" * 31, "." + "1" * 60, "." + "1" * 61, 0.1, 1 / 3, 1e-7,
    "1 7", "1  7", "1\t7", "1.0 7.0", "97  99", "1,2", "none", "unknown", "1 1 1", "7 1 x",
    [], {}, ["1", "2"], {"a": 1}, "٣", "\uff11\uff12", "naïve", "\u0131", "ß", "ﬁ", "😀", "\u2028", "\u200b5", '"',
    "'; --", "\\.", "a,b", "line\nbreak", "line\r\nbreak", "\x1f", "\x7f", "(", "1)", "kanungu", "2026-02-30",
)  # fmt: skip


@dataclass(frozen=True)
class Parity:
    """What was compared: `differing` counts the surveys by feature, those features left out that never differ."""

    surveys: int
    differing: dict[str, int]


def make_payloads(count: int, seed: int) -> Iterator[dict[str, Any]]:
    """Surveys of the bundled sample in which some answers are replaced by strange ones; each of its own household."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    contract = load_contract(FORM)
    with SAMPLE.open() as file:
        header, *rows = csv.reader(file)
    names = [name or header for name, header in zip(contract.resolve(header), header, strict=True)]
    spellings = {field.name: [field.name, *field.headers, field.name.upper()] for field in contract.fields}
    for number in range(count):
        survey = dict(zip(names, draw.choice(rows), strict=True))
        survey |= {name: _strange(draw) for name in draw.sample(contract.names, draw.choice([0, 1, 3, 10, 40]))}
        survey.pop("submission_id", None)
        survey["household_id"] = f"Payload-{seed}-{number}"
        survey["district"] = draw.choice(["Kanungu", "mitooma", "RUBANDA ", " Elsewhere"])
        yield {draw.choice(spellings[name]): answer for name, answer in survey.items() if name in spellings}


def compare_payloads(warehouse: Warehouse, payloads: Sequence[dict[str, Any]]) -> Parity:
    """Land the payloads, make features of them in both ways, and compare these to the letter."""
    for some in _parts(payloads, TOGETHER):
        receive_batch(warehouse.database, json.dumps(some).encode(), form=FORM, sender=Sender("benchmark"))
    with Dbt(warehouse) as dbt:
        dbt.build("--select", "stg_household_survey__submissions", *WITHOUT_TESTS)
        _release_all(warehouse.database)
        dbt.build("--select", "fct_household_features", *WITHOUT_TESTS)
    keys = load_key_ring(warehouse.settings)
    bodies = (json.dumps(some).encode() for some in _parts(payloads, MOST_HOUSEHOLDS))
    requests = [list(read_surveys(keys, body).answers.values()) for body in bodies]
    return compare(warehouse.database, requests)


def compare(database: Database, requests: Sequence[Sequence[dict[str, str]]]) -> Parity:
    """Compare the features of requested surveys with those that the mart has of the same households.

    Args:
        database: the warehouse.
        requests: answers by field, as the function takes them; a household stands in them once.
    """
    names = [feature.name for feature in load_features()]
    with database.transaction() as connection:
        connection.execute("create temp table asked on commit drop as select * from features.household_features('[]')")
        for surveys in requests:
            connection.execute(
                "insert into asked select * from features.household_features(%s)", [orjson.dumps(surveys).decode()]
            )
        found = connection.execute(_comparison(names)).fetchone()
    assert found is not None  # noqa: S101 - an aggregate gives one row
    compared, *differing = found
    return Parity(compared, {name: count for name, count in zip(names, differing, strict=True) if count})


def _comparison(names: Sequence[str]) -> sql.Composed:
    different = [
        sql.SQL("count(*) filter (where asked.{0}::text is distinct from mart.{0}::text)").format(sql.Identifier(name))
        for name in names
    ]
    return sql.SQL(
        """
        select count(*), {different}
        from asked
        inner join features.fct_household_features as mart using (household_id)
        """
    ).format(different=sql.SQL(", ").join(different))


def _release_all(database: Database) -> None:
    """Let every staged survey pass for a released household, whatever the rules say."""
    with database.transaction() as connection:
        connection.execute("drop table if exists validated.fct_households")
        connection.execute(
            """
            create table validated.fct_households as
            select *, submission_id as household_round_id, '{}'::text[] as waived_rules, '{}'::text[] as flagged_rules
            from staging.stg_household_survey__submissions
            """
        )
        connection.execute("update validated.fct_households set survey_round = 'undated' where survey_round is null")
        connection.execute("alter table validated.fct_households owner to kyalo_transformer")


def _parts(payloads: Sequence[dict[str, Any]], size: int) -> Iterator[Sequence[dict[str, Any]]]:
    return (payloads[start : start + size] for start in range(0, len(payloads), size))


def _strange(draw: random.Random) -> Any:
    if draw.random() < 0.6:
        return draw.choice(STRANGE)
    if draw.random() < 0.5:
        return draw.choice([draw.randint(-(10**9), 10**9), draw.gauss(0, 10 ** draw.randint(-9, 30))])
    characters = [draw.choice("019 .-+eE_,x\u00a0٣é中😀") for _ in range(draw.randint(1, 12))]
    return "".join(characters)


def main() -> None:
    """Compare and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--payloads", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with scratch_folder() as folder, scratch_warehouse(folder / "parity") as warehouse:
        found = compare_payloads(warehouse, list(make_payloads(options.payloads, options.seed)))
    differing: list[Row] = [(f"differing {name}", f"{count:,}", "0") for name, count in found.differing.items()]
    print_table([("strange surveys compared", f"{found.surveys:,}", f"{options.payloads:,}"), *differing])
    if differing or found.surveys != options.payloads:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
