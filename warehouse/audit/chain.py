"""One writer's chain of entries, its end under a seal, its beginning a link of the chain of chains."""

import hmac
import secrets
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson
import psycopg

from warehouse.audit.entries import FIELDS, message
from warehouse.crypto.keys import load_key_ring
from warehouse.database import fetch_row, queries
from warehouse.errors import DatabaseUnavailableError
from warehouse.logs import get_logger
from warehouse.settings import Settings

logger = get_logger(__name__)
ALL_CHAINS = ""  # what the chain of chains is called among the ends
NOTHING = bytes(32)
TRIES = 5


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain."""

    sequence: int
    hash: bytes


class Hasher:
    """Makes the hashes of the log, with a key that is not in the database.

    Args:
        settings: where the key is.
    """

    def __init__(self, settings: Settings) -> None:
        self._key = load_key_ring(settings).derive("audit")

    def entry(self, chain_id: str, sequence: int, values: Iterable[object], previous_hash: bytes) -> bytes:
        """The hash of an entry, whose fields stand in the order of FIELDS."""
        return hmac.digest(self._key, message(chain_id, sequence, values, previous_hash), "sha256")

    def chain(self, position: int, chain_id: str, opened_at: int, opened_by: str, previous_hash: bytes) -> bytes:
        """The hash of a link of the chain of chains."""
        fields = ["chain", position, chain_id, opened_at, opened_by, previous_hash.hex()]
        return self._digest(fields)

    def seal(self, chain_id: str, head: Head) -> bytes:
        """What proves that an end was set by who has the key."""
        return self._digest(["head", chain_id, head.sequence, head.hash.hex()])

    def anchor(self, taken_at: str, heads: object) -> str:
        """What proves the same of ends that are kept elsewhere, in hexadecimal digits."""
        return self._digest(["anchor", taken_at, heads]).hex()

    def _digest(self, fields: Sequence[object]) -> bytes:
        return hmac.digest(self._key, orjson.dumps(fields, default=str, option=orjson.OPT_SORT_KEYS), "sha256")


class Chain:
    """The entries of one process, or of all commands of a host; threads and processes may add to it at a time.

    Args:
        settings: where the key is.
        writer: who writes, such as `api`.
        chain_id: which chain to go on with; a new one when omitted.
    """

    def __init__(self, settings: Settings, writer: str, chain_id: str | None = None) -> None:
        self._hasher = Hasher(settings)
        self._writer = writer
        self._chain_id = chain_id or _new_id(writer)
        self._guard = threading.Lock()
        self._head: Head | None = None

    def append(self, connection: psycopg.Connection, entries: Sequence[dict[str, object]]) -> None:
        """Add entries, in the caller's transaction; other writers of the chain wait for its end, so do it last.

        Where the end that this process remembers is not the database's, since a transaction was rolled back or
        another process has written, the database is asked.

        Raises:
            DatabaseUnavailableError: they cannot be entered.
        """
        try:
            self._append(connection, entries)
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            raise DatabaseUnavailableError(
                f"The audit cannot be written: {str(error).splitlines()[0]}.", code="audit.unavailable"
            ) from error

    def _append(self, connection: psycopg.Connection, entries: Sequence[dict[str, object]]) -> None:
        head, chain_id = self._head, self._chain_id
        for _ in range(TRIES):
            if head is None:
                chain_id, head = self._find_head(connection)
            linked, last = self._link(chain_id, head, entries)
            values = {
                "chain_id": chain_id,
                "sequence": last.sequence,
                "hash": last.hash,
                "seal": self._hasher.seal(chain_id, last),
                "last_sequence": head.sequence,
                "last_hash": head.hash,
                "entries": orjson.dumps(linked).decode(),
            }
            if connection.execute(queries("audit")["append"], values).rowcount == len(entries):
                with self._guard:
                    self._chain_id, self._head = chain_id, last
                return
            head = None
        raise DatabaseUnavailableError(f"The audit's chain {chain_id} cannot be added to.", code="audit.unavailable")

    def _link(
        self, chain_id: str, head: Head, entries: Sequence[dict[str, object]]
    ) -> tuple[list[dict[str, object]], Head]:
        """The entries with their places and hashes, and the end that they make."""
        linked = []
        for entry in entries:
            sequence = head.sequence + 1
            made = self._hasher.entry(chain_id, sequence, [entry[name] for name in FIELDS], head.hash)
            hashes = {"previous_hash": head.hash.hex(), "hash": made.hex()}
            linked.append({"sequence": sequence, **entry, **hashes})
            head = Head(sequence, made)
        return linked, head

    def _find_head(self, connection: psycopg.Connection) -> tuple[str, Head]:
        """The end of the chain, kept from others until the transaction ends; of a new chain, where it is not true."""
        with self._guard:
            chain_id = self._chain_id
        found = fetch_row(connection, queries("audit")["lock_head"], {"chain_id": chain_id})
        if found is None:
            return chain_id, self._open(connection, chain_id)
        head = Head(found["sequence"], found["hash"])
        if hmac.compare_digest(found["seal"], self._hasher.seal(chain_id, head)):
            return chain_id, head
        logger.error("the end of a chain of the audit was changed", chain=chain_id)
        chain_id = _new_id(self._writer)
        return chain_id, self._open(connection, chain_id)

    def _open(self, connection: psycopg.Connection, chain_id: str) -> Head:
        """Begin a chain: enter it in the chain of chains."""
        first = Head(0, NOTHING)
        begun = {"chain_id": ALL_CHAINS, "sequence": 0, "hash": NOTHING, "seal": self._hasher.seal(ALL_CHAINS, first)}
        connection.execute(queries("audit")["begin_heads"], begun)
        last = self._last_chain(connection)
        own = fetch_row(connection, queries("audit")["lock_head"], {"chain_id": chain_id})
        if own is not None:  # another process has opened it meanwhile
            return Head(own["sequence"], own["hash"])
        position, opened_at = last.sequence + 1, time.time_ns() // 1000
        made = self._hasher.chain(position, chain_id, opened_at, self._writer, last.hash)
        values = {
            "position": position,
            "chain_id": chain_id,
            "opened_at": opened_at,
            "opened_by": self._writer,
            "previous_hash": last.hash,
            "hash": made,
            "seal": self._hasher.seal(ALL_CHAINS, Head(position, made)),
            "own_seal": self._hasher.seal(chain_id, Head(0, made)),
        }
        connection.execute(queries("audit")["open_chain"], values)
        return Head(0, made)

    def _last_chain(self, connection: psycopg.Connection) -> Head:
        """The end of the chain of chains; where it was changed, what follows must not make good for it."""
        found = fetch_row(connection, queries("audit")["lock_head"], {"chain_id": ALL_CHAINS})
        assert found is not None  # noqa: S101 - it was just made
        head = Head(found["sequence"], found["hash"])
        if hmac.compare_digest(found["seal"], self._hasher.seal(ALL_CHAINS, head)):
            return head
        logger.error("the end of the chain of the audit's chains was changed")
        newest = fetch_row(connection, queries("audit")["newest_chain"]) or {"position": 0}
        return Head(newest["position"], NOTHING)


def _new_id(writer: str) -> str:
    return f"{writer}/{secrets.token_hex(4)}"
