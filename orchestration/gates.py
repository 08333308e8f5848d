"""The gates of a build: which one is closed, and why, in words."""

from typing import Any

from orchestration.console import count
from orchestration.runs import fetch
from warehouse.database import Database
from warehouse.errors import BuildError, GateClosedError

GATE = "gate_"


def closed_gate(database: Database, error: BuildError) -> BuildError:
    """The error of the gate that stopped a build; the error itself where none did."""
    failed = error.facts.get("failed")
    gates = [name for name in failed if name.startswith(GATE)] if isinstance(failed, list) else []
    if not gates:
        return error
    (quality,) = fetch(database, "run_quality")
    reasons = ", ".join(f"{row['rule']} ({row['rows']:,})" for row in fetch(database, "new_reasons"))
    told = "; ".join(_tell(gate, quality) for gate in gates)
    return GateClosedError(
        f"{told}. Most often: {reasons or 'no rule was broken'}. The marts keep their last good state:"
        " look with `kyalo quarantine list`, then release, correct or discard, and run again.",
        failed=gates,
    )


def _tell(gate: str, quality: dict[str, Any]) -> str:
    new, held, rejected = quality["submissions"], quality["held_submissions"], quality["rejected_submissions"]
    told = {
        "gate_rejected": f"{rejected:,} of {new - held:,} new submissions ({_percent(quality, 'rejected')}) were"
        f" rejected, more than {quality['rejected_limit_percent']} %",
        "gate_completeness": f"only {_percent(quality, 'completeness')} of what {new - held:,} new submissions owe is"
        f" filled, less than {quality['completeness_limit_percent']} %",
        "gate_held": f"{count(quality['held_batches'], 'bad batch holds', 'bad batches hold')} {held:,} of {new:,} new"
        " submissions"
        f" ({_percent(quality, 'held')}), more than {quality['held_limit_percent']} %",
    }
    return f"{gate} is closed: {told.get(gate, 'see the log of dbt')}"


def _percent(quality: dict[str, Any], share: str) -> str:
    return f"{quality[f'{share}_percent'] or 0:.1f} %"
