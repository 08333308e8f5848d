"""The figures that Prometheus is told from the tables: each is a column of a statement of `metrics.sql`."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Family:
    """One metric.

    Attributes:
        name: with its unit; the exposition adds `_total` to that of a counter.
        documentation: what it tells.
        statement: gives a row for each series.
        value: the column that holds the figure; a row without one is left out.
        labels: the columns that tell the series apart.
        kind: a gauge goes up and down, a counter only up.
    """

    name: str
    documentation: str
    statement: str
    value: str
    labels: tuple[str, ...] = ()
    kind: Literal["gauge", "counter"] = "gauge"


FAMILIES = (
    Family(
        "kyalo_ingestion_rows",
        "Rows that arrived, by what became of them.",
        "ingestions",
        "rows",
        ("form", "outcome"),
        kind="counter",
    ),
    Family("kyalo_ingestions", "Uploads that arrived.", "ingestions", "uploads", ("form",), kind="counter"),
    Family("kyalo_ingestions_failed", "Uploads that could not be landed.", "ingestions", "failed", ("form",)),
    Family("kyalo_ingestions_refused", "Uploads that were refused as a whole.", "ingestions", "refused", ("form",)),
    Family(
        "kyalo_ingestion_newest_timestamp_seconds", "When the newest upload came.", "ingestions", "newest_at", ("form",)
    ),
    Family("kyalo_backlog_ingestions", "Uploads that wait to be landed.", "backlog", "pending"),
    Family("kyalo_backlog_oldest_seconds", "How long the oldest of them waits.", "backlog", "oldest_seconds"),
    Family("kyalo_queue_jobs", "Jobs of the workers.", "queue", "jobs", ("task", "status")),
    Family(
        "kyalo_queue_oldest_seconds",
        "How long the oldest job that is due waits.",
        "queue_age",
        "oldest_seconds",
        ("task",),
    ),
    Family("kyalo_pipeline_runs", "Runs on record.", "runs", "runs", ("status",), kind="counter"),
    Family(
        "kyalo_pipeline_run_newest_timestamp_seconds", "When the newest run ended so.", "runs", "newest_at", ("status",)
    ),
    Family("kyalo_pipeline_run_duration_seconds", "How long the newest run took.", "last_run", "seconds"),
    Family(
        "kyalo_pipeline_step_attempts",
        "Tries of a step on record.",
        "steps",
        "attempts",
        ("step", "status"),
        kind="counter",
    ),
    Family(
        "kyalo_pipeline_step_newest_timestamp_seconds",
        "When the newest of them ended.",
        "steps",
        "newest_at",
        ("step", "status"),
    ),
    Family(
        "kyalo_pipeline_step_duration_seconds",
        "How long a step took when it last succeeded.",
        "last_steps",
        "seconds",
        ("step",),
    ),
    Family("kyalo_pipeline_step_rows_in", "Rows that it had to work on then.", "last_steps", "rows_in", ("step",)),
    Family("kyalo_pipeline_step_rows_out", "Rows that it wrote then.", "last_steps", "rows_out", ("step",)),
    Family("kyalo_rows", "Rows by layer, as last measured.", "rows_by_layer", "value", ("form", "layer")),
    Family(
        "kyalo_data_quality_ratio",
        "Scores and shares of quality, as last measured.",
        "data_quality",
        "value",
        ("form", "metric"),
    ),
    Family("kyalo_gate_closed", "Whether a gate stopped the newest build.", "gates", "value", ("form", "gate")),
    Family(
        "kyalo_model_info",
        "The champion of a track.",
        "models",
        "present",
        ("track", "model_name", "model_version", "algorithm"),
    ),
    Family("kyalo_model_age_seconds", "Time since its training.", "models", "age_seconds", ("track",)),
    Family(
        "kyalo_model_accuracy_ratio",
        "Its accuracy at training, as expected since, and as incomes showed.",
        "model_accuracy",
        "value",
        ("track", "kind"),
    ),
    Family(
        "kyalo_model_accuracy_kept_ratio",
        "What it keeps of its accuracy at training, at most.",
        "model_performance",
        "accuracy_kept",
        ("track",),
    ),
    Family(
        "kyalo_model_drifted_features",
        "Features that are far from the training rows.",
        "model_performance",
        "drifted_features",
        ("track",),
    ),
    Family(
        "kyalo_prediction_coverage_ratio", "Households with a prediction.", "model_performance", "coverage", ("track",)
    ),
    Family(
        "kyalo_prediction_undecided_ratio",
        "Predictions that the field has to verify.",
        "model_performance",
        "undecided_share",
        ("track",),
    ),
    Family(
        "kyalo_drift_psi", "Population stability index against the training rows.", "drift", "psi", ("track", "feature")
    ),
    Family("kyalo_drift_psi_limit", "What chance alone hardly reaches.", "drift", "psi_limit", ("track", "feature")),
    Family("kyalo_health_score", "How well it all is, 0 to 1.", "health", "health_score"),
    Family("kyalo_health_component_score", "How well a part is, 0 to 1.", "health_components", "score", ("component",)),
    Family(
        "kyalo_processes_alive", "Processes that were heard of in the last minute.", "heartbeats", "alive", ("process",)
    ),
    Family("kyalo_processes_silent", "Processes that are dead or stuck.", "heartbeats", "silent", ("process",)),
    Family(
        "kyalo_process_heartbeat_age_seconds",
        "Time since the last sign of life.",
        "heartbeats",
        "newest_seconds",
        ("process",),
    ),
    Family("kyalo_schedule_next_due_timestamp_seconds", "When a job is due.", "schedules", "next_due_at", ("job",)),
    Family("kyalo_schedule_paused", "Whether somebody paused a job.", "schedules", "is_paused", ("job",)),
    Family("kyalo_alerts_open", "Alerts that are open.", "alerts", "alerts", ("severity",)),
    Family(
        "kyalo_alerts_unacknowledged",
        "Those of them that nobody has acknowledged.",
        "alerts",
        "unacknowledged",
        ("severity",),
    ),
    Family("kyalo_system_cpu_busy_ratio", "Processors that are busy.", "system", "cpu_share", ("host",)),
    Family("kyalo_system_memory_used_ratio", "Memory that is taken.", "system", "memory_share", ("host",)),
    Family("kyalo_system_memory_used_bytes", "Memory that is taken.", "system", "memory_bytes", ("host",)),
    Family("kyalo_system_disk_used_ratio", "Disk under KYALO_HOME that is taken.", "system", "disk_share", ("host",)),
    Family(
        "kyalo_system_disk_free_bytes", "Disk under KYALO_HOME that is free.", "system", "disk_free_bytes", ("host",)
    ),
)
