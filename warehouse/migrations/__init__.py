"""Migrations of the schemas that dbt does not own: raw, review, ml, ops."""

from pathlib import Path

from warehouse.contract import list_forms, load_contract
from warehouse.database import Database
from warehouse.errors import ConfigurationError
from warehouse.grants import apply_grants
from warehouse.raw_tables import create_raw_table

FOLDER = Path(__file__).parent


def migrate(database: Database, revision: str = "head") -> None:
    """Bring the database to a revision, give every form its raw table, and every role its rights.

    Safe to call from several processes at once, and when there is nothing to do.

    Raises:
        ConfigurationError: a newer Kyalo has been at the database.
    """
    with database.lock("kyalo.migrations", wait=True):
        if not (revision == "head" and _is_at_head(database)):
            run_alembic(database, revision)
        with database.transaction() as connection:
            for form in list_forms():
                create_raw_table(connection, load_contract(form))
            apply_grants(connection)


def _is_at_head(database: Database) -> bool:
    """Whether nothing is left to do.

    Raises:
        ConfigurationError: a newer Kyalo has been at the database.
    """
    known = {path.stem for path in (FOLDER / "versions").glob("*.py")}
    with database.transaction() as connection:
        table = connection.execute("select to_regclass('ops.migrations')").fetchone()
        if table is None or table[0] is None:
            return False
        present = {row[0] for row in connection.execute("select version_num from ops.migrations")}
    if present - known:
        raise ConfigurationError(
            f"A newer Kyalo has been at the database: it is at {', '.join(present)}, this one knows {max(known)}.",
            code="database.newer",
            remedy="Install the newer one again.",
        )
    return present == {max(known)}


def run_alembic(database: Database, revision: str) -> None:
    """Upgrade to `revision`, or downgrade when it is `base`."""
    from alembic import command  # takes a second to import, and mostly there is nothing to do
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    with database.engine().begin() as connection:
        config.attributes["connection"] = connection
        (command.downgrade if revision == "base" else command.upgrade)(config, revision)
