"""How long everything is kept: the policies, as data. What no policy names is kept for ever."""

from dataclasses import dataclass
from typing import Literal

from warehouse.settings import Settings

Action = Literal["archived", "exported", "restored", "deleted"]
Kind = Literal["originals", "raw_rows", "rows", "run_logs", "extracts"]
EXTRACT_DAYS = 7  # somebody may still be reading the file that the manifest named before
HEARTBEAT_DAYS = 30


@dataclass(frozen=True)
class Policy:
    """What becomes of one kind of data, and when.

    Attributes:
        name: how the record of actions calls it.
        kind: what carries it out.
        action: what is done.
        what: to what, in words.
        days: the age from which on; 0 where it never happens.
        setting: the setting that says how many days; empty where it is fixed.
        table: whose rows go, where rows do.
        clock: the column of that table that tells their age.
    """

    name: str
    kind: Kind
    action: Action
    what: str
    days: int
    setting: str = ""
    table: str = ""
    clock: str = ""


def list_policies(settings: Settings) -> tuple[Policy, ...]:
    """Every policy, in the order in which they are carried out."""
    metrics = settings.metrics_retention_days, "METRICS_RETENTION_DAYS"
    return (
        Policy(
            "originals",
            "originals",
            "archived",
            "files and bodies as they were sent: compressed, and moved to archive/originals/",
            settings.archive_after_days,
            "ARCHIVE_AFTER_DAYS",
        ),
        Policy(
            "raw_rows",
            "raw_rows",
            "exported",
            "whole months of raw rows: taken out of the database, into Parquet files under archive/raw/",
            settings.raw_retention_days,
            "RAW_RETENTION_DAYS",
        ),
        Policy(
            "run_logs",
            "run_logs",
            "deleted",
            "logs of runs, in KYALO_HOME/logs/runs",
            settings.log_retention_days,
            "LOG_RETENTION_DAYS",
        ),
        Policy("extracts", "extracts", "deleted", "exports that no manifest names any more", EXTRACT_DAYS),
        _rows("system_metrics", "measurements of machines", "ops.system_metrics", "measured_at", *metrics),
        _rows("dbt_results", "results of dbt", "ops.dbt_results", "finished_at", *metrics),
        _rows("scheduled_starts", "starts of the schedule", "ops.scheduled_starts", "due_at", *metrics),
        _rows("heartbeats", "signs of life of processes that are gone", "ops.heartbeats", "beat_at", HEARTBEAT_DAYS),
        _rows(
            "prediction_requests",
            "predictions that were asked for over the API",
            "ml.prediction_requests",
            "requested_at",
            settings.request_retention_days,
            "REQUEST_RETENTION_DAYS",
        ),
        _rows(
            "superseded_predictions",
            "predictions that others took the place of",
            "ml.predictions",
            "superseded_at",
            settings.prediction_retention_days,
            "PREDICTION_RETENTION_DAYS",
        ),
    )


def _rows(name: str, what: str, table: str, clock: str, days: int, setting: str = "") -> Policy:
    return Policy(name, "rows", "deleted", what, days, setting, table, clock)
