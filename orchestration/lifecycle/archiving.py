"""Carrying the policies out, or saying what they would do."""

from collections.abc import Callable

from orchestration.context import Warehouse
from orchestration.lifecycle.acts import Account, Act
from orchestration.lifecycle.archived_originals import archive_original, find_originals, finish_moves
from orchestration.lifecycle.deleted_objects import delete_objects, find_objects, finish_deletions
from orchestration.lifecycle.exported_rows import export_months, find_months
from orchestration.lifecycle.policies import Kind, Policy, list_policies
from orchestration.lifecycle.retention import (
    delete_extracts,
    delete_personal_answers,
    delete_rows,
    delete_run_logs,
    find_extracts,
    find_personal_answers,
    find_rows,
    find_run_logs,
)

LOCK = "kyalo.archive"
Find = Callable[[Warehouse, Policy], list[Act]]
Carry = Callable[[Warehouse, Policy, str], list[Act]]


def archive(warehouse: Warehouse, *, dry_run: bool, requested_by: str) -> Account:
    """Archive, export and delete what the policies name; with `dry_run` nothing is changed.

    It can be ended at any point: what was not finished is, the next time.

    Args:
        warehouse: what to go through.
        dry_run: only say what would be done.
        requested_by: who asks, for the record.

    Raises:
        BusyError: another process is archiving, or holds what would go: the pipeline, a change of keys.
        StorageUnavailableError: the store is away.
        IntegrityError: the store gives back something else than it was given; the old state stands.
    """
    policies = [policy for policy in list_policies(warehouse.settings) if policy.days]
    if dry_run:
        return Account(_find(warehouse, policies), is_done=False)
    with warehouse.database.lock(LOCK):
        finish_moves(warehouse)
        finish_deletions(warehouse)
        return Account([act for policy in policies for act in CARRYING[policy.kind](warehouse, policy, requested_by)])


def _find(warehouse: Warehouse, policies: list[Policy]) -> list[Act]:
    """What would be done; what one policy would delete is not there any more for those after it."""
    acts: list[Act] = []
    for policy in policies:
        gone = {act.subject for act in acts if act.action == "deleted"}
        acts += [act for act in FINDING[policy.kind](warehouse, policy) if act.subject not in gone]
    return acts


def _archive_originals(warehouse: Warehouse, policy: Policy, requested_by: str) -> list[Act]:
    return [act for act in find_originals(warehouse, policy) if archive_original(warehouse, act, requested_by)]


FINDING: dict[Kind, Find] = {
    "personal_answers": find_personal_answers,
    "old_originals": find_objects,
    "old_attachments": find_objects,
    "originals": find_originals,
    "raw_rows": find_months,
    "run_logs": find_run_logs,
    "extracts": find_extracts,
    "rows": find_rows,
}
CARRYING: dict[Kind, Carry] = {
    "personal_answers": delete_personal_answers,
    "old_originals": delete_objects,
    "old_attachments": delete_objects,
    "originals": _archive_originals,
    "raw_rows": export_months,
    "run_logs": delete_run_logs,
    "extracts": delete_extracts,
    "rows": delete_rows,
}
