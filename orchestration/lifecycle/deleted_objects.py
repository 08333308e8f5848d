"""Originals and attachments whose time is over are deleted for good: first for the ledger, then in the stores."""

from collections.abc import Iterable

import psycopg
from psycopg import sql

from orchestration.context import Warehouse
from orchestration.graph.lock import holding_pipeline
from orchestration.keys.rotation import LOCK as KEYS_LOCK
from orchestration.lifecycle.acts import Act, finish, record
from orchestration.lifecycle.policies import Policy
from orchestration.orphans import ASIDE
from warehouse.contract import list_forms
from warehouse.database import Database, fetch_row, fetch_rows, queries
from warehouse.errors import NotFoundError
from warehouse.stores import ORIGINALS, MirroredStore, original_checksum, single_stores
from warehouse.stores.protocol import ARCHIVED_ORIGINALS

statements = queries("retention")


def find_objects(warehouse: Warehouse, policy: Policy) -> list[Act]:
    """The objects that are old enough and that nothing needs any more."""
    with warehouse.database.transaction() as connection:
        keys = _keys(warehouse, connection, policy)
    prefixes = (ORIGINALS, ARCHIVED_ORIGINALS) if keys else ()
    sizes = {listed.key: listed.size_bytes for prefix in prefixes for listed in warehouse.store.list(prefix)}
    return [
        Act(policy.name, "deleted", subject=key, bytes=sizes.get(key), sha256=original_checksum(key)) for key in keys
    ]


def delete_objects(warehouse: Warehouse, policy: Policy, requested_by: str) -> list[Act]:
    """Delete them, with their copies; what was done.

    Raises:
        BusyError: keys are changed or a household is forgotten, which writes objects anew; or a run goes on.
        StorageUnavailableError: a store is away; the next archiving goes on from there.
    """
    acts = find_objects(warehouse, policy)
    if not acts:
        return []
    with holding_pipeline(warehouse.database, "kyalo archive"), warehouse.database.lock(KEYS_LOCK):
        return [act for act in acts if _delete(warehouse, policy, act, requested_by)]


def finish_deletions(warehouse: Warehouse) -> None:
    """Remove from the stores what deletions that died had told the ledger of.

    Raises:
        BusyError: keys are being changed.
        StorageUnavailableError: a store is away.
    """
    with warehouse.database.transaction() as connection:
        interrupted = fetch_rows(connection, queries("lifecycle")["open_actions"], {"action": "deleted"})
    if interrupted:
        with warehouse.database.lock(KEYS_LOCK):
            for deletion in interrupted:
                _remove(warehouse, deletion["action_id"], deletion["subject"])


def say_if_deleted(database: Database, key: str) -> NotFoundError | None:
    """What to tell whoever asks for an object that a policy deleted; None where none did."""
    with database.transaction() as connection:
        deletion = fetch_row(connection, statements["find_deletion"], {"key": key})
    if deletion is None:
        return None
    return NotFoundError(
        f"{key} was deleted for good on {deletion['acted_at']:%Y-%m-%d}, by the policy {deletion['policy']}.",
        code="archive.deleted",
        remedy="`kyalo archive policies` says how long what is kept.",
    )


def _keys(
    warehouse: Warehouse, connection: psycopg.Connection, policy: Policy, key: str | None = None
) -> Iterable[str]:
    """The objects that the policy names; of one of them, whether it does."""
    values = {"days": policy.days, "key": key, "has_second_store": isinstance(warehouse.store, MirroredStore)}
    if policy.kind == "old_attachments":
        return [row["object_key"] for row in fetch_rows(connection, statements["attachments_to_delete"], values)]
    keys: list[str] = []
    for form in list_forms():
        staged = fetch_row(connection, queries("lifecycle")["has_staging"], {"form": form})
        if staged and staged["has_staging"]:
            staging = sql.Identifier("staging", f"stg_{form}__submissions")
            statement = statements["originals_to_delete"].format(staging=staging)
            keys += [row["object_key"] for row in fetch_rows(connection, statement, {**values, "form": form})]
    return keys


def _delete(warehouse: Warehouse, policy: Policy, act: Act, requested_by: str) -> bool:
    """Delete one object; False, and it stays, when somebody came to need it since it was found."""
    forget = statements["forget_attachment" if policy.kind == "old_attachments" else "forget_original"]
    with warehouse.database.transaction() as connection:
        connection.execute(queries("objects")["lock_object"], {"key": act.subject})
        if not _keys(warehouse, connection, policy, act.subject):
            return False
        connection.execute(forget, {"key": act.subject})
        connection.execute(queries("objects")["forget_copy"], {"key": act.subject})
        number = record(connection, act, requested_by, is_finished=False)
    _remove(warehouse, number, act.subject)
    return True


def _remove(warehouse: Warehouse, number: int, key: str) -> None:
    """Remove an object that nothing speaks of from every store, also what `kyalo storage verify` set aside of it.

    The same picture may come once more, with another survey: who brings it to the store waits for this, or is seen.
    """
    aside = ASIDE + ORIGINALS + key.removeprefix(ARCHIVED_ORIGINALS).removeprefix(ORIGINALS).partition(".")[0]
    with warehouse.database.transaction() as connection:
        connection.execute(queries("objects")["lock_object"], {"key": key})
        found = fetch_row(connection, queries("lifecycle")["is_referred_to"], {"key": key})
        for each in single_stores(warehouse.store) if found and not found["is_referred_to"] else ():
            each.delete(key)
            for listed in list(each.list(aside)):
                each.delete(listed.key)
        finish(connection, number)
