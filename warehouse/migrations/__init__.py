"""Migrations of the schemas that dbt does not own: raw, review, ml, ops."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from warehouse.contract import list_forms, load_contract
from warehouse.database import Database
from warehouse.raw_tables import create_raw_table


def migrate(database: Database, revision: str = "head") -> None:
    """Bring the database to a revision and give every form its raw table.

    Safe to call from several processes at once, and when there is nothing to do.
    """
    with database.lock("kyalo.migrations", wait=True):
        run_alembic(database, revision)
        with database.transaction() as connection:
            for form in list_forms():
                create_raw_table(connection, load_contract(form))


def run_alembic(database: Database, revision: str) -> None:
    """Upgrade to `revision`, or downgrade when it is `base`."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with database.engine().begin() as connection:
        config.attributes["connection"] = connection
        (command.downgrade if revision == "base" else command.upgrade)(config, revision)
