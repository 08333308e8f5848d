"""What the commands about models print: lists, measures beside each other, what the gate asked."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from orchestration.console import count, out

if TYPE_CHECKING:
    from ml.catalogue import TrainedModel
    from ml.evaluation import Evaluation, Measure, SegmentKind
    from ml.foreign.contents import Contents
    from ml.promotion.gate import Decision

LINE = "{:1} {:14}  {:20}  {:22}  {:>11}  {:11}  {:16}  {}"
TOLD = (
    "auc",
    "accuracy",
    "base_rate",
    "f1",
    "brier",
    "calibration_error",
    "exclusion_error",
    "inclusion_error",
    "exclusion_error_at_quota",
    "missed_poorest_20",
    "missed_poorest_40",
)
OF_DISTRICTS = ("accuracy", "exclusion_error", "inclusion_error")


def print_contents(contents: "Contents", file: Path) -> None:
    """Say what is inside a file, and whether it can be imported."""
    out.print(f"{contents.sha256}  {file}, {count(contents.size_bytes, 'byte')}", highlight=False, soft_wrap=True)
    for name in contents.names:
        out.print(f"{'UNKNOWN' if name in contents.unknown else 'known  '}  {name}", highlight=False, soft_wrap=True)
    told = f"`--trust {contents.sha256}` imports it" if not contents.unknown else "it cannot be imported"
    out.print(f"done: nothing of it was run; {told}", highlight=False, soft_wrap=True)


def print_versions(versions: list[dict[str, Any]]) -> None:
    """One line each, however wide: the last reason is to be read whole."""
    typer.echo(LINE.format("", "model", "algorithm", "AUC, new villages", "calibration", "event", "when", "why"))
    for row in versions:
        auc = _with_bounds(row["auc"], row["auc_lower_bound"], row["auc_upper_bound"])
        calibration = "" if row["calibration_error"] is None else f"{row['calibration_error']:.3f}"
        typer.echo(
            LINE.format(
                "*" if row["champion_since"] else "",
                f"{row['track']}/{row['model_version']}",
                row["algorithm"][:20],
                auc,
                calibration,
                row["event"] or "",
                f"{row['happened_at']:%Y-%m-%d %H:%M}" if row["happened_at"] else "",
                row["reason"] or "",
            ).rstrip()
        )
    out.print(f"done: {count(len(versions), 'model')}; * marks champions", highlight=False)


def print_model(model: "TrainedModel") -> None:
    """Say where a model comes from."""
    facts = {
        "model": f"{model.model_name} version {model.model_version}, {model.algorithm}, as {model.artifact_kind}",
        "trained": f"{model.trained_at:%Y-%m-%d %H:%M} in the run {model.run_id}",
        "rows": model.metadata.get("training_rows"),
        "features": f"{len(model.feature_names)}, of the making {model.feature_set_version}",
        "sha256": model.sha256,
        "revision": model.metadata.get("git_revision"),
        "mlflow": model.mlflow_run_id,
    }
    for name, value in facts.items():
        if value is not None:
            out.print(f"{name:10}{value}", highlight=False, soft_wrap=True)


def print_measures(*evaluations: "Evaluation", titles: tuple[str, ...] = ("",)) -> None:
    """The measures of models beside each other, split by split, then by district."""
    from rich.table import Table

    from ml.splits import SPLITS

    table = Table("folds keep whole", "of", "measure", *titles, box=None, pad_edge=False)
    first = evaluations[0]
    places: list[tuple[SegmentKind, str]] = [("all", "all")]
    places += [("district", segment) for segment in first.segments("district")]
    for split in SPLITS:
        for kind, segment in places:
            for metric in TOLD if kind == "all" else OF_DISTRICTS:
                found = [evaluation.find(metric, split, kind, segment) for evaluation in evaluations]
                if any(found):
                    table.add_row(split, segment, metric, *map(_told, found))
    out.print(table, highlight=False)


def _told(measure: "Measure | None") -> str:
    if measure is None or measure.value is None:
        return "-"
    return _with_bounds(measure.value, measure.lower_bound, measure.upper_bound)


def _with_bounds(value: float | None, lower: float | None, upper: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if lower is None or upper is None else f"{value:.3f} ({lower:.3f} to {upper:.3f})"


def print_checks(decision: "Decision") -> None:
    """Say what the gate asked, and what it found."""
    for check in decision.checks:
        out.print(f"{'passed' if check.has_passed else 'failed'}  {check.statement}", highlight=False, soft_wrap=True)
