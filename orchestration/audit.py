"""Verifying the log of who saw and changed what, and anchoring it where the database does not reach."""

from orchestration.context import Warehouse
from warehouse.audit.anchors import keep_anchor, newest_anchor
from warehouse.audit.verifying import Finding, Verification, verify


def verify_log(warehouse: Warehouse) -> Verification:
    """Verify the whole log against the newest anchor; write another one where nothing was found."""
    anchor = newest_anchor(warehouse.store, warehouse.settings)
    found = verify(warehouse.database, anchor)
    if anchor and not anchor.is_genuine:
        found.findings.append(Finding("", None, f"the anchor {anchor.key} was changed, or written by another"))
    if found.is_intact and (anchor is None or found.heads != anchor.heads):
        keep_anchor(warehouse.store, warehouse.settings, found.heads)
    return found
