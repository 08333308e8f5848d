"""A masked copy joins and counts as its source does, and holds nothing of it that could be found again."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from ingest_api.loading import land_next
from ingest_api.receiving import receive_file
from orchestration.context import Warehouse
from orchestration.masked_copy import Copied, copy_masked, target_settings
from orchestration.masking import NOISE
from tests.conftest import SAMPLE, cloned_warehouse
from warehouse.embedded import EmbeddedServer
from warehouse.errors import ConflictError, MisuseError

NAMED = (
    "HouseHoldID,District,Cluster,Village,HouseholdSize,survey_date,respondent_name,phone_number,enumerator_id,"
    "device_id,favourite_colour\n"
    "SECRET-HOUSEHOLD,Kanungu,SecretCluster,SecretVillage,5,2026-05-06,Secret Jane,0772123456,SecretPerson,"
    "secret-tablet,secret-colour\n"
    "secret-household ,Kanungu,SecretCluster,secretvillage,secret words,06/05/2026,Secret Jane,0772123456,SecretPerson,"
    "secret-tablet,secret-colour\n"
)
TABLES = ("ingestions", "household_survey", "quarterly_report", "submission_keys", "repeated_rows", "rejected_rows")
SHAPE = """
with surveys as (
    select upper(btrim(household_id)) as household_id, district, cluster, lower(village) as village
    from raw.household_survey
)

select
    count(*),
    count(distinct household_id),
    count(distinct village),
    count(distinct (district, cluster)),
    count(distinct (household_id, village)),
    (select count(*) from surveys as one inner join surveys as other on one.household_id = other.household_id)
from surveys
"""
QUANTILES = """
select percentile_cont(array[0.1, 0.25, 0.5, 0.75, 0.9]) within group (order by {field}::numeric)
from raw.household_survey where {field} ~ '^[0-9.]+$'
"""
SUMS = """
select max(abs(
    household_income_per_day::double precision * 365 - household_income::double precision
) / greatest(household_income::double precision, 1))
from raw.household_survey where household_income ~ '^[0-9.]+$'
"""


@pytest.fixture(scope="module")
def source(module_warehouse: Warehouse) -> Warehouse:
    """A warehouse with the sample and two surveys that are easily recognized."""
    for name, content in (("secret-file.csv", NAMED.encode()), ("sample.csv", SAMPLE.read_bytes())):
        receive_file(
            module_warehouse.database,
            module_warehouse.store,
            io.BytesIO(content),
            form="household_survey",
            filename=name,
            source="cli",
        )
        land_next(module_warehouse.database, module_warehouse.store)
    return module_warehouse


@pytest.fixture(scope="module")
def copied(
    source: Warehouse, test_server: EmbeddedServer, template: str, homes: Path
) -> Iterator[tuple[Warehouse, Copied]]:
    """Its masked copy."""
    with cloned_warehouse(test_server, template, homes) as target:
        yield target, copy_masked(source.database, target.database)


def row(warehouse: Warehouse, statement: str) -> tuple[object, ...]:
    with warehouse.database.transaction() as connection:
        found = connection.execute(statement.encode()).fetchone()
    assert found is not None
    return tuple(found)


def texts(warehouse: Warehouse, table: str) -> list[str]:
    with warehouse.database.transaction() as connection:
        return [text for (text,) in connection.execute(f"select shown::text from raw.{table} as shown".encode())]


def test_rows_and_joins_stay(source: Warehouse, copied: tuple[Warehouse, Copied]) -> None:
    """Two spellings of one household, or of one village, are one."""
    target, counted = copied
    assert counted == Copied(uploads=2, surveys=1502)
    assert row(target, SHAPE) == row(source, SHAPE)


def test_the_ledger_balances(copied: tuple[Warehouse, Copied]) -> None:
    target, _ = copied
    balance = "select sum(stored_rows), (select count(*) from raw.household_survey) from raw.ingestions"
    stored, rows = row(target, balance)
    assert stored == rows
    keys = "select count(*) = (select sum(stored_rows) from raw.ingestions) from raw.submission_keys"
    assert row(target, keys) == (True,)


@pytest.mark.parametrize("field", ["household_size", "household_income", "income_consumption_residues_per_day"])
def test_distributions_stay(source: Warehouse, copied: tuple[Warehouse, Copied], field: str) -> None:
    (before,), (after,) = (row(each, QUANTILES.format(field=field)) for each in (source, copied[0]))
    assert isinstance(before, list)
    assert after == pytest.approx(before, rel=NOISE)


def test_sums_stay_sums(source: Warehouse, copied: tuple[Warehouse, Copied]) -> None:
    assert row(copied[0], SUMS) == pytest.approx(row(source, SUMS), abs=1e-9)


def test_money_is_not_found_again(source: Warehouse, copied: tuple[Warehouse, Copied]) -> None:
    statement = "select household_income from raw.household_survey where household_income ~ '[.][0-9]{6}'"
    with source.database.transaction() as read, copied[0].database.transaction() as written:
        before = {text for (text,) in read.execute(statement.encode())}
        after = {text for (text,) in written.execute(statement.encode())}
    assert len(before) > 1000
    assert not before & after


def test_nothing_is_found_again(source: Warehouse, copied: tuple[Warehouse, Copied]) -> None:
    target, _ = copied
    whole = "\n".join(text for table in TABLES for text in texts(target, table)).lower()
    assert "secret" not in whole
    assert "0772123456" not in whole
    with source.database.transaction() as connection:
        identifying = {
            str(value).lower()
            for columns in connection.execute(
                "select household_id, submission_key, content_hash, enumerator_id, respondent_name, phone_number,"
                " device_id from raw.household_survey"
            )
            for value in columns
            if value
        }
        identifying |= {str(value) for (value,) in connection.execute("select identity from raw.submission_keys")}
        identifying |= {str(value) for (value,) in connection.execute("select ingestion_id from raw.ingestions")}
    words = set(whole.replace('"', ",").replace("(", ",").replace(")", ",").split(","))
    assert len(identifying) > 3000
    assert not identifying & words
    with target.database.transaction() as connection:
        for table in ("raw.personal", "raw.bodies", "review.conflicts"):
            assert connection.execute(f"select 1 from {table}".encode()).fetchone() is None


def test_dates_of_a_household_go_back_together(copied: tuple[Warehouse, Copied]) -> None:
    found = row(
        copied[0],
        """
        select
            count(distinct household.received_at::date - upload.received_at::date),
            min(household.received_at - upload.received_at) >= interval '-30 days',
            min(household.survey_date) filter (where household.survey_date ~ '^2026-0[45]'),
            bool_or(household.survey_date = 'unreadable')
        from raw.household_survey as household
        inner join raw.ingestions as upload on household.ingestion_id = upload.ingestion_id
        where upload.received_rows = 2
        """,
    )
    assert found[:2] == (1, True)
    assert str(found[2]) <= "2026-05-06"
    assert found[3]


def test_copies_go_into_empty_warehouses(source: Warehouse, copied: tuple[Warehouse, Copied]) -> None:
    with pytest.raises(ConflictError):
        copy_masked(source.database, copied[0].database)
    with pytest.raises(ConflictError):
        copy_masked(source.database, source.database)


def test_addresses_of_other_databases(source: Warehouse) -> None:
    settings = target_settings(source.settings, "postgresql://ann:word@there:6543/trial")
    assert (settings.db_host, settings.db_port, settings.db_name, settings.db_user) == ("there", 6543, "trial", "ann")
    assert settings.db_password == SecretStr("word")
    with pytest.raises(MisuseError):
        target_settings(source.settings, "nowhere at all")


def test_two_copies_do_not_join(source: Warehouse, warehouse: Warehouse, copied: tuple[Warehouse, Copied]) -> None:
    copy_masked(source.database, warehouse.database)
    households = "select array_agg(distinct household_id) from raw.household_survey"
    (one,), (other,) = row(copied[0], households), row(warehouse, households)
    assert isinstance(one, list)
    assert isinstance(other, list)
    assert not {*one} & {*other}
