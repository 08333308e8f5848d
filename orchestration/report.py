"""What a person reads at the end of a command: a short account of surveys, models and households at risk."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC
from typing import Any

from rich.console import Console
from rich.table import Table

from ml.catalogue import TrainedModel, champions
from orchestration.console import count
from orchestration.context import Warehouse
from orchestration.runs import Run, fetch, has_marts
from warehouse.database import Database
from warehouse.jobs import count_jobs


def collect_account(warehouse: Warehouse, run: Run | None = None) -> dict[str, Any]:
    """Everything the account tells, as plain data: ledger, quality, models, districts, steps."""
    database = warehouse.database
    (ledger,) = fetch(database, "ledger_totals")
    layers = _count_layers(database, ledger["stored"]) if has_marts(database) else None
    account: dict[str, Any] = {
        "ledger": ledger,
        "other_forms": fetch(database, "other_forms"),
        "rejected": fetch(database, "rejection_reasons"),
        "layers": layers,
        "quarantined": fetch(database, "quarantine_reasons") if layers else [],
        "held": fetch(database, "held_batches") if layers else [],
        "jobs": [asdict(counts) for counts in count_jobs(database)],
        "models": [_describe_model(model) for model in champions(database).values()],
        "districts": fetch(database, "district_risk") if layers else [],
        "runs": [
            {**row, "started_at": str(row["started_at"].astimezone(UTC))}
            for row in fetch(database, "last_runs", limit=5)
        ],
        "last_steps": fetch(database, "steps_of_last_run"),
    }
    if run:
        account["run"] = {"run_id": run.run_id, "changed_rows": run.changed_rows}
        account["steps"] = [asdict(step) for step in run.steps]
    return account


def print_account(console: Console, account: dict[str, Any]) -> None:
    """Print an account for a person."""
    _print_surveys(console, account)
    _print_models(console, account["models"])
    _print_districts(console, account["districts"])
    if "steps" in account:
        _print_steps(console, account["steps"])


def print_models(console: Console, models: Sequence[TrainedModel]) -> None:
    """Print the scores of models, overall and by district."""
    _print_models(console, [_describe_model(model) for model in models])


def print_runs(console: Console, account: dict[str, Any]) -> None:
    """Print the last runs, newest first, and what waits."""
    ledger = account["ledger"]
    console.rule("runs", align="left")
    for row in account["runs"]:
        changed = (
            f"{count(len(row['changed_tables']), 'table')} changed"
            if row["status"] == "succeeded"
            else row["error_message"]
        )
        status = f"{row['status']} ({row['scope']})" if row["scope"] else row["status"]
        console.print(f"{row['started_at'][:19]} UTC  {status}  {changed or ''}", highlight=False)
    _print_steps(console, account["last_steps"])
    console.print(
        f"files: {ledger['pending_files']} pending, {ledger['failed_files']} failed, {ledger['refused_files']} refused"
    )
    for job in account["jobs"]:
        states = ("waiting", "running", "retrying", "failed", "interrupted")
        console.print(f"jobs {job['task']}: " + ", ".join(f"{job[state]} {state}" for state in states if job[state]))


def print_change(console: Console, run: Run) -> None:
    """Print the last line of a run: what it changed."""
    if run.changed_tables:
        console.print(f"done: {count(len(run.changed_tables), 'table')} changed: {', '.join(run.changed_tables)}")
    else:
        console.print("done: nothing new, no row of any published table changed")


def _print_surveys(console: Console, account: dict[str, Any]) -> None:
    layers = account["layers"]
    console.rule("surveys", align="left")
    _print_balance(console, account, "household_survey", account["ledger"])
    if layers:
        _print_layers(console, account, layers)
    for totals in account["other_forms"]:
        _print_balance(console, account, totals["form"], totals)
    if layers:
        console.print(
            f"features {count(layers['columns_of_features'], 'column')};"
            f" predictions for {count(layers['predicted'], 'household')}"
        )


def _print_balance(console: Console, account: dict[str, Any], form: str, totals: dict[str, Any]) -> None:
    console.print(
        f"{form}: received {totals['received']:,} = stored {totals['stored']:,} + duplicate {totals['duplicate']:,}"
        f" + rejected {totals['rejected']:,} + conflict {totals['conflict']:,}"
    )
    _print_reasons(console, "rejected", [row for row in account["rejected"] if row["form"] == form])


def _print_layers(console: Console, account: dict[str, Any], layers: dict[str, Any]) -> None:
    waiting = f" + not yet built {layers['not_yet_built']:,}" if layers["not_yet_built"] else ""
    console.print(
        f"stored {account['ledger']['stored']:,} = released {layers['released']:,}"
        f" + quarantined {layers['quarantined']:,} + superseded {layers['superseded']:,}"
        f" + held {layers['held']:,}{waiting}"
    )
    _print_reasons(console, "quarantined", account["quarantined"])
    if layers["discarded"]:
        console.print(f"  discarded {layers['discarded']:,} by reviewers")
    for batch in account["held"]:
        console.print(
            f"  held {batch['held_submissions']:,}: the batch {batch['ingestion_id']} is too bad,"
            f" {batch['rejected_submissions']:,} of its {count(batch['submissions'], 'submission')} rejected"
        )


def _count_layers(database: Database, stored: int) -> dict[str, Any]:
    (layers,) = fetch(database, "layer_counts")
    built = sum(layers[outcome] for outcome in ("released", "quarantined", "superseded", "held"))
    return {**layers, "not_yet_built": max(0, stored - built)}


def _print_reasons(console: Console, what: str, reasons: Sequence[dict[str, Any]]) -> None:
    for row in reasons:
        console.print(f"  {what} {row['rows']:,}: {row['reason']}")


def _print_models(console: Console, models: Sequence[dict[str, Any]]) -> None:
    for model in models:
        _print_model(console, model)


def _print_model(console: Console, model: dict[str, Any]) -> None:
    console.rule(f"model, {model['track']} track", align="left")
    console.print(f"{model['algorithm']}, version {model['model_version']}. {model['meaning']}")
    console.print("Village-grouped folds. Vulnerable: below 1.77 USD a day. Exclusion, inclusion: errors.", style="dim")
    table = _table("", "households", "vulnerable", "accuracy", "AUC", "F1", "exclusion", "inclusion")
    for name, scores in (("all", model["overall"]), *model["by_district"].items()):
        table.add_row(name, *_score_cells(scores))
    console.print(table)
    splits = ", ".join(f"{split} {scores['auc']:.3f}" for split, scores in model["splits"].items() if scores)
    console.print(f"AUC by what the folds keep whole: {splits}", style="dim")


def _print_districts(console: Console, districts: Sequence[dict[str, Any]]) -> None:
    if not districts:
        return
    console.rule("households at risk, by district", align="left")
    table = _table("district", "households", "vulnerable", "critical", "high", "mean probability", "measured")
    for row in districts:
        measured = row["households_measured"]
        table.add_row(
            row["district"],
            f"{row['households']:,}",
            f"{row['households_predicted_vulnerable']:,}",
            f"{row['households_critical']:,}",
            f"{row['households_high']:,}",
            _share(row["mean_vulnerability_probability"]),
            _share(row["households_measured_vulnerable"] / measured) if measured else "-",
        )
    console.print(table)


def _print_steps(console: Console, steps: Sequence[dict[str, Any]]) -> None:
    console.rule("steps", align="left")
    table = _table("step", "seconds", "did")
    table.columns[2].justify = "left"
    for step in steps:
        seconds = "" if step["seconds"] is None else f"{step['seconds']:.1f}"
        told = step["did"] if step["status"] == "succeeded" else f"{step['status']}: {step['did']}"
        table.add_row(step["name"], seconds, told.removesuffix(": "))
    console.print(table)


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="bold")
    for position, heading in enumerate(headings):
        table.add_column(heading, justify="left" if position == 0 else "right")
    return table


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _score_cells(scores: dict[str, Any]) -> list[str]:
    rates = ("base_rate", "accuracy", "auc", "f1", "exclusion_error", "inclusion_error")
    auc = "-" if scores["auc"] is None else f"{scores['auc']:.3f}"
    return [f"{scores['n']:,.0f}", *(auc if rate == "auc" else _share(scores[rate]) for rate in rates)]


def _describe_model(model: TrainedModel) -> dict[str, Any]:
    return {
        "track": model.track,
        "meaning": model.metadata["meaning"],
        "algorithm": model.algorithm.replace("_", " "),
        "model_name": model.model_name,
        "model_version": model.model_version,
        "overall": model.metrics["overall"],
        "by_district": model.metrics["by_district"],
        "splits": model.metrics.get("splits", {}),
    }
