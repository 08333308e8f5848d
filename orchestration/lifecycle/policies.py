"""How long everything is kept: the policies, as data. What no policy names is kept for ever."""

from dataclasses import dataclass
from typing import Literal

from warehouse.settings import Settings

Action = Literal["archived", "exported", "restored", "deleted", "kept"]
DataClass = Literal["personal", "survey", "derived", "operational"]
Kind = Literal[
    "personal_answers",
    "old_originals",
    "old_attachments",
    "originals",
    "raw_rows",
    "rows",
    "run_logs",
    "extracts",
    "kept",
]
EXTRACT_DAYS = 7  # somebody may still be reading the file that the manifest named before
HEARTBEAT_DAYS = 30


@dataclass(frozen=True)
class Policy:
    """What becomes of one kind of data, and when.

    Attributes:
        name: how the record of actions calls it.
        data_class: personal (whatever holds names), survey (the other answers), derived (what was made of them) or
            operational (what Kyalo notes of itself).
        kind: what carries it out.
        action: what is done.
        what: to what, in words.
        days: the age from which on; 0 where it never happens.
        setting: the setting that says how many days; empty where it is fixed.
        table: whose rows go, where rows do.
        clock: the column of that table that tells their age.
    """

    name: str
    data_class: DataClass
    kind: Kind
    action: Action
    what: str
    days: int
    setting: str = ""
    table: str = ""
    clock: str = ""


def list_policies(settings: Settings) -> tuple[Policy, ...]:
    """Every policy, by class of data, in the order in which they are carried out."""
    return (
        *_personal(settings),
        Policy(
            "raw_rows",
            "survey",
            "raw_rows",
            "exported",
            "whole months of raw rows: taken out of the database, into Parquet files under archive/raw/",
            settings.raw_retention_days,
            "RAW_RETENTION_DAYS",
        ),
        *_derived(settings),
        *_operational(settings),
    )


def _personal(settings: Settings) -> tuple[Policy, ...]:
    return (
        Policy(
            "personal_answers",
            "personal",
            "personal_answers",
            "deleted",
            "names, numbers and places as they were sent, encrypted in raw.personal; their stand-ins stay",
            settings.personal_retention_days,
            "PERSONAL_RETENTION_DAYS",
        ),
        Policy(
            "old_originals",
            "personal",
            "old_originals",
            "deleted",
            "files and bodies as they were sent, archived or not: for good, once all their rows are staged",
            settings.original_retention_days,
            "ORIGINAL_RETENTION_DAYS",
        ),
        Policy(
            "old_attachments",
            "personal",
            "old_attachments",
            "deleted",
            "photographs and other files that came with surveys: for good",
            settings.attachment_retention_days,
            "ATTACHMENT_RETENTION_DAYS",
        ),
        Policy(
            "originals",
            "personal",
            "originals",
            "archived",
            "files and bodies as they were sent: compressed, and moved to archive/originals/",
            settings.archive_after_days,
            "ARCHIVE_AFTER_DAYS",
        ),
    )


def _derived(settings: Settings) -> tuple[Policy, ...]:
    return (
        Policy("extracts", "derived", "extracts", "deleted", "exports that no manifest names any more", EXTRACT_DAYS),
        _rows(
            "prediction_requests",
            "derived",
            "predictions that were asked for over the API",
            "ml.prediction_requests",
            "requested_at",
            settings.request_retention_days,
            "REQUEST_RETENTION_DAYS",
        ),
        _rows(
            "superseded_predictions",
            "derived",
            "predictions that others took the place of",
            "ml.predictions",
            "superseded_at",
            settings.prediction_retention_days,
            "PREDICTION_RETENTION_DAYS",
        ),
    )


def _operational(settings: Settings) -> tuple[Policy, ...]:
    metrics = settings.metrics_retention_days, "METRICS_RETENTION_DAYS"
    machines, starts = "measurements of machines", "starts of the schedule"
    life = "signs of life of processes that are gone"
    return (
        Policy(
            "run_logs",
            "operational",
            "run_logs",
            "deleted",
            "logs of runs, in KYALO_HOME/logs/runs",
            settings.log_retention_days,
            "LOG_RETENTION_DAYS",
        ),
        _rows("system_metrics", "operational", machines, "ops.system_metrics", "measured_at", *metrics),
        _rows("dbt_results", "operational", "results of dbt", "ops.dbt_results", "finished_at", *metrics),
        _rows("scheduled_starts", "operational", starts, "ops.scheduled_starts", "due_at", *metrics),
        _rows("heartbeats", "operational", life, "ops.heartbeats", "beat_at", HEARTBEAT_DAYS),
        Policy(
            "audit_log",
            "operational",
            "kept",
            "kept",
            "who looked at which household, and who changed what: it must be told years later, in an unbroken chain",
            0,
        ),
    )


def _rows(name: str, data_class: DataClass, what: str, table: str, clock: str, days: int, setting: str = "") -> Policy:
    return Policy(name, data_class, "rows", "deleted", what, days, setting, table, clock)
