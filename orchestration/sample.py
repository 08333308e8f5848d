"""The bundled, made-up sample, and how it gives way to real surveys."""

import hashlib
from pathlib import Path

import orjson
from psycopg import sql

from ingest_api.personal import keyed_digest
from ingest_api.schemas import EXAMPLE_SURVEY
from orchestration.runs import fetch
from warehouse.contract import list_forms
from warehouse.crypto.keys import load_key_ring
from warehouse.database import Database, queries
from warehouse.errors import ConfigurationError
from warehouse.grants import apply_grants, make_dbt_schemas
from warehouse.settings import PROJECT_ROOT

SAMPLE = PROJECT_ROOT / "orchestration" / "sample_data" / "household_survey.csv"
DEVICE_SURVEY = orjson.dumps(EXAMPLE_SURVEY).decode()  # the body, to the letter
TABLES_BY_INGESTION = (
    ("raw", "submission_keys"),
    ("raw", "repeated_rows"),
    ("raw", "rejected_rows"),
    ("raw", "bodies"),
    ("raw", "personal"),
    ("review", "conflicts"),
    ("ops", "published_ingestions"),
    ("raw", "ingestions"),
)


def refuse_sample_beside_others(database: Database, home: Path) -> None:
    """Raise where the warehouse holds surveys that are not the sample's."""
    hashes = _sample_hashes(database)
    (found,) = fetch(database, "origins", sample=hashes, sample_file=hashes[0])
    if found["other_ingestions"]:
        raise ConfigurationError(
            f"The warehouse in {home} holds surveys that are not the sample's.",
            code="demo.would_mix",
            remedy="Name another folder: KYALO_HOME=.kyalo-demo make demo.",
        )


def clear_sample_beside_others(database: Database) -> bool:
    """Where the sample file stands beside other surveys, forget it; whether it did.

    What was learnt from it, and what dbt built of it, goes with it: the next build makes everything anew. A sample that
    comes to a warehouse in use has been neither built nor learnt from, and nothing else goes.

    The example survey of the documentation counts as made up only beside the sample file: alone it is anybody's.
    """
    hashes = _sample_hashes(database)
    (found,) = fetch(database, "origins", sample=hashes, sample_file=hashes[0])
    if not (found["sample_files"] and found["other_ingestions"]):
        return False
    ingestions = {"ingestion_ids": [row["ingestion_id"] for row in fetch(database, "sample_ingestions", sample=hashes)]}
    is_built = _is_built(database, ingestions)
    has_learnt = is_built and _has_learnt(database, ingestions)
    tables = [sql.Identifier("raw", form) for form in list_forms()]
    tables += [sql.Identifier(*name) for name in TABLES_BY_INGESTION]
    with database.transaction() as connection:
        for table in tables:
            statement = sql.SQL("delete from {} where ingestion_id = any(%(ingestion_ids)s)").format(table)
            connection.execute(statement, ingestions)
        if has_learnt:
            connection.execute(queries("runs")["forget_learnt"])
        if is_built:
            connection.execute("drop schema if exists staging, validated, features, marts_next cascade")
            make_dbt_schemas(connection)
            apply_grants(connection)
    return True


def _is_built(database: Database, ingestions: dict[str, list[str]]) -> bool:
    """Whether dbt has made anything of their rows."""
    (row,) = fetch(database, "has_staging")
    return bool(row["has_staging"] and fetch(database, "has_staged", **ingestions)[0]["has_staged"])


def _has_learnt(database: Database, ingestions: dict[str, list[str]]) -> bool:
    """Whether a model was trained on any of their rows, which dbt has built."""
    (row,) = fetch(database, "has_learnt", **ingestions)
    return bool(row["has_learnt"])


def _sample_hashes(database: Database) -> list[str]:
    """The hash of the sample file, and that of the example survey which the demo sends with it, as in the ledger."""
    survey = keyed_digest(load_key_ring(database.settings), DEVICE_SURVEY.encode())
    return [hashlib.sha256(SAMPLE.read_bytes()).hexdigest(), survey]
