"""What a household is known by, and where that stands: rows of all tables, objects of the store, logs."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pyarrow as pa
from psycopg import sql
from pyarrow import parquet

from orchestration.context import Warehouse
from warehouse.database import fetch_row, fetch_rows, queries
from warehouse.stores import ObjectStore, open_original

statements = queries("erasure")
WORD = "[:alnum:]_-"


@dataclass(frozen=True)
class Household:
    """A household, and what it sent.

    Attributes:
        identifier: as the surveys have it.
        keys: the keys of its submissions, conflicts included.
        stored: upload and row of each that is stored.
        conflicts: upload and row of each that is kept as a conflict.
    """

    identifier: str
    keys: Collection[str] = ()
    stored: Collection[tuple[str, int]] = ()
    conflicts: Collection[tuple[str, int]] = ()

    @property
    def pattern(self) -> str:
        """Tells, to PostgreSQL, a text that names the household."""
        return rf"(^|[^{WORD}]){_escaped(self._plain)}($|[^{WORD}])"

    def is_named_in(self, content: bytes) -> bool:
        """Whether bytes name the household."""
        name = re.escape(self._plain.encode())
        return bool(re.search(rb"(?<![\w-])" + name + rb"(?![\w-])", content, re.IGNORECASE))

    def is_it(self, answer: str | None) -> bool:
        """Whether an answer is its identifier."""
        return (answer or "").strip().upper() == self._plain

    @property
    def _plain(self) -> str:
        return self.identifier.strip().upper()


def search_tables(connection: psycopg.Connection, household: Household) -> dict[str, int]:
    """How many rows of each table name the household; tables without any are left out."""
    found = {}
    for table in list_tables(connection):
        statement = statements["count_mentions"].format(table=sql.Identifier(table["schema"], table["name"]))
        counted = fetch_row(connection, statement, {"pattern": household.pattern})
        if counted and counted["rows"]:
            found[f"{table['schema']}.{table['name']}"] = int(counted["rows"])
    return found


def list_tables(connection: psycopg.Connection) -> list[dict[str, Any]]:
    """Every table, with its columns that hold a household or a submission."""
    return fetch_rows(connection, statements["tables"])


def search_objects(store: ObjectStore, household: Household) -> Iterator[str]:
    """The objects whose content, decrypted and unpacked, names the household."""
    for listed in store.list(""):
        with open_original(store, listed.key) as content:
            raw = content.read()
        if raw.startswith(b"PAR1"):
            raw = repr(parquet.read_table(pa.BufferReader(raw)).to_pylist()).encode()
        if household.is_named_in(raw):
            yield listed.key


def search_logs(warehouse: Warehouse, household: Household) -> Iterator[str]:
    """The logs of the data folder that name the household."""
    folder = warehouse.settings.home / "logs"
    for path in sorted(folder.rglob("*")):
        if path.is_file() and household.is_named_in(path.read_bytes()):
            yield f"logs/{path.relative_to(folder)}"


def _escaped(text: str) -> str:
    return re.sub(r"([^\w])", r"\\\1", text)
