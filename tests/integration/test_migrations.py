"""Migrations run up, down and up again; raw tables follow their contract."""

import io
import runpy

import pytest

from ingest_api.loading import land_next
from ingest_api.receiving import receive_file
from warehouse.contract import load_contract
from warehouse.database import Database
from warehouse.errors import ConfigurationError
from warehouse.grants import apply_grants
from warehouse.migrations import FOLDER, migrate, run_alembic
from warehouse.raw_tables import ENVELOPE, create_raw_table
from warehouse.stores import LocalStore

FORM = "household_survey"


def tables(database: Database) -> set[str]:
    with database.transaction() as connection:
        rows = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables "
            "where table_schema in ('raw', 'review', 'ml', 'ops')"
        ).fetchall()
    return {row[0] for row in rows}


def test_up_down_up(database: Database) -> None:
    whole = tables(database)
    run_alembic(database, "base")
    assert tables(database) == {"ops.migrations"}
    migrate(database)
    assert tables(database) == whole


def test_migrating_again_changes_nothing(database: Database) -> None:
    before = tables(database)
    migrate(database)
    assert tables(database) == before


def test_migrating_again_waits_for_no_landing(database: Database) -> None:
    migrate(database)
    with database.transaction() as landing:
        landing.execute("lock table raw.household_survey in row exclusive mode")
        with database.transaction() as connection:
            connection.execute("set local lock_timeout = '1s'")
            create_raw_table(connection, load_contract(FORM))
            apply_grants(connection)


def test_database_of_a_newer_version_is_left_alone(database: Database) -> None:
    with database.transaction() as connection:
        connection.execute("update ops.migrations set version_num = '9999_not_yet'")
    with pytest.raises(ConfigurationError, match="9999_not_yet") as refused:
        migrate(database)
    assert refused.value.error_code == "database.newer"


def test_raw_table_has_the_contracts_columns_as_text(database: Database) -> None:
    with database.transaction() as connection:
        rows = connection.execute(
            "select column_name, data_type from information_schema.columns "
            "where table_schema = 'raw' and table_name = 'household_survey'"
        ).fetchall()
    columns = dict(rows)
    names = load_contract("household_survey").names
    assert set(columns) == set(ENVELOPE) | set(names)
    assert {columns[name] for name in names} == {"text"}


def test_field_that_the_contract_gains_becomes_a_column(database: Database) -> None:
    with database.transaction() as connection:
        connection.execute("alter table raw.household_survey drop column composting")
    migrate(database)
    test_raw_table_has_the_contracts_columns_as_text(database)


def test_identities_can_be_computed_by_postgresql(database: Database, store: LocalStore) -> None:
    """The migration that gives stored rows their identities hashes as the loader does."""
    revision = runpy.run_path(str(FOLDER / "versions" / "0004_identities.py"))
    text = 'household_id;district;village;roof;door\nA-1;\u00a0Kanungu ;"a;b\x1f\x1e\x1d";iron; wood\nA-2;;;;\n'
    receive_file(database, store, io.BytesIO(text.encode()), form=FORM, filename="survey.csv", source="cli")
    land_next(database, store)
    canonical = revision["_canonical"](FORM, {*load_contract(FORM).names})
    with database.transaction() as connection:
        found = connection.execute(
            f"select content_hash, left(encode(sha256(convert_to({canonical}, 'UTF8')), 'hex'), 32) from raw.{FORM}"
        ).fetchall()
    assert len(found) == 2
    assert all(stored == computed for stored, computed in found)
