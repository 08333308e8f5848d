"""Verifying the log of who saw and changed what, and anchoring it where the database does not reach."""

from orchestration.console import count
from orchestration.context import Warehouse
from warehouse.audit.anchors import keep_anchor, newest_anchor
from warehouse.audit.verifying import Finding, Verification, verify
from warehouse.errors import IntegrityError


def verify_log(warehouse: Warehouse) -> Verification:
    """Verify the whole log against the newest anchor; write another one where nothing was found."""
    anchor = newest_anchor(warehouse.store, warehouse.settings)
    found = verify(warehouse.database, anchor)
    if anchor and not anchor.is_genuine:
        found.findings.append(Finding("", None, f"the anchor {anchor.key} was changed, or written by another"))
    if found.is_intact and (anchor is None or found.heads != anchor.heads):
        keep_anchor(warehouse.store, warehouse.settings, found.heads)
    return found


def check_log(warehouse: Warehouse) -> str:
    """Verify the whole log; what was read, in words.

    Raises:
        IntegrityError: something in it was changed.
    """
    return told(verify_log(warehouse))


def told(found: Verification) -> str:
    """What a verification came to, in words.

    Raises:
        IntegrityError: something was changed.
    """
    if not found.is_intact:
        raise IntegrityError(
            f"The audit is not what was written: {count(len(found.findings), 'finding')}, the first at"
            f" {found.findings[0]}.",
            code="audit.changed",
            remedy="`kyalo audit verify` names them all; docs/runbooks.md says what to do (audit_changed).",
        )
    read = f"{count(found.entries, 'entry', 'entries')} of the audit in {count(found.chains, 'chain')}"
    return f"{read}, all as they were written"
