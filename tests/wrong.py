"""What is wrong by the rules of alerts, as statements; each beside what is nearly so."""

from datetime import UTC, datetime

from orchestration.alerts import Changes
from orchestration.context import Warehouse

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
BOOK = "ops.alerts, ops.alert_checks"
WRITTEN = (
    "ops.heartbeats, ops.system_metrics, ops.pipeline_runs, ops.schedules, ops.scheduled_starts,"
    " raw.ingestions, ml.predictions, ml.prediction_requests, ml.drift_checks, ml.performance_checks"
)
RUN = """
insert into ops.pipeline_runs (run_id, status, started_at, finished_at, error_code, error_message)
values ('{}', '{}', timestamptz '2026-03-02 08:00+00' - interval '{}', timestamptz '2026-03-02 08:01+00' - interval
    '{}', '{}', 'It went wrong.');
"""
SCORING = """
insert into ops.pipeline_steps (run_id, step, status, started_at, finished_at)
select run_id, 'score', 'succeeded', started_at, finished_at from ops.pipeline_runs;
"""
UPLOAD = """
insert into raw.ingestions (ingestion_id, form, form_version, source, status, filename, content_type, size_bytes,
    sha256, received_rows, stored_rows, received_at, error_code)
values ('{}', 'household_survey', '1', 'cli', '{}', 'a.csv', 'text/csv', 1, 'x', 0, 0, '2026-03-02 06:00+00', '{}')
"""
FOUND = """;
update raw.ingestions set personal_fields = '[{}]' where ingestion_id = '{}'
"""
REMARKS = '{"field": "remarks", "kind": "phone", "rows": 3}, {"field": "remarks", "kind": "name", "rows": 1}'
KIN = '{"field": "next_of_kin", "kind": "name", "rows": 9}'
MODEL = """
insert into ml.models (model_name, model_version, track, algorithm, object_key, sha256, size_bytes, feature_names,
    training_fingerprint, metrics, metadata, run_id, artifact_kind, trained_at)
values ('screening', {0}, 'screening', 'trees', '{0}', repeat('0', 64), 1, array['x'], 'f', '{{}}', '{{}}', 'r',
    'terms', timestamptz '2026-03-02 08:00+00' - interval '{1}');
insert into ml.model_events (track, model_name, model_version, event, actor, reason, run_id, happened_at)
values ('screening', 'screening', {0}, 'promoted', 'kyalo', 'It is.', 'r',
    timestamptz '2026-03-02 08:00+00' - interval '{1}');
insert into ml.evaluations values ('screening', {0}, 'village', 'all', 'all', 'accuracy', 0.8, 0.7, 0.9);
"""
PREDICTION = """
insert into ml.predictions (household_id, survey_round, submission_id, is_training_row, probability, track, prediction,
    confidence, risk_category, model_name, model_version, run_id, model_role, threshold, reasons)
values ('A', '1', 'a', false, 0.5, 'screening', 1, 0.5, 'low', 'screening', {}, 'r', 'champion', 0.5, '[]');
"""
MACHINE = """
insert into ops.system_metrics (host, measured_at, cpu_share, memory_share, disk_share, memory_bytes, disk_free_bytes)
select 'server', timestamptz '2026-03-02 08:00+00' - minutes * interval '1 minute', {}, {}, {}, 1, 2e9
from generate_series(0, 40, 5) as listed (minutes)
"""
BEAT = """
insert into ops.heartbeats (process, instance, host, process_id, started_at, beat_at)
values ('{}', '{}', 'server', 1, '2026-03-02', timestamptz '2026-03-02 08:00+00' - interval '{}')
"""
CHECKED = """
insert into ops.scheduled_starts (job, due_at, requested_by, job_number, status, error_code, error_message)
values ('quality_check', timestamptz '2026-03-01' + {0} * interval '1 hour', 'schedule', {0}, '{1}', '{2}', 'It was.');
"""
DRIFT = """
insert into ml.drift_checks (run_id, track, model_name, model_version, feature, households, psi, psi_limit, has_drifted,
    checked_at)
select 'run-' || day, 'screening', 'screening', 1, 'roof', 600, 0.3, 0.1, {},
    timestamptz '2026-03-01' + day * interval '1 hour'
from generate_series(1, 3) as listed (day);
"""
PERFORMANCE = """
insert into ml.performance_checks (run_id, track, model_name, model_version, kind, households, accuracy, lower_bound,
    upper_bound, checked_at)
values ('r', 'screening', 'screening', 1, 'real', 600, 0.6, 0.5, {}, '2026-03-02')
"""
SLOW = """
insert into ml.prediction_requests (client, track, model_name, model_version, feature_set_version, households, features,
    answers, milliseconds, requested_at)
select 'a', 'screening', 'screening', 1, 'f', 1, '[]', '[]', {}, timestamptz '2026-03-02 07:50+00'
from generate_series(1, 30)
"""
WELL = RUN.format("good", "succeeded", "1 hour", "1 hour", "")
BROKEN_OFF = ";" + RUN.format("broken-off", "failed", "30 minutes", "30 minutes", "run.interrupted")
PART = ";" + RUN.format("part", "succeeded", "20 minutes", "20 minutes", "")
PART += "; update ops.pipeline_runs set scope = 'only check' where run_id = 'part'"
# By rule: what is wrong, and what is nearly so.
WRONG = {
    "late_run": (RUN.format("old", "succeeded", "27 hours", "27 hours", "") + BROKEN_OFF + PART, WELL),
    "run_failed": (
        RUN.format("bad", "failed", "1 hour", "1 hour", "build.failed") + BROKEN_OFF + PART,
        WELL + BROKEN_OFF,
    ),
    "failure_rate": (
        "".join(
            RUN.format(
                f"run-{hours}", "failed" if hours in (3, 9) else "succeeded", f"{hours} hours", f"{hours} hours", "x"
            )
            + ";"
            for hours in range(1, 21)
        ),
        "".join(
            RUN.format(f"run-{hours}", "failed" if hours == 9 else "succeeded", f"{hours} hours", f"{hours} hours", "x")
            + ";"
            for hours in range(1, 21)
        ),
    ),
    "gate_closed": (RUN.format("shut", "failed", "1 hour", "1 hour", "build.gate_closed"), WELL),
    "backlog": (UPLOAD.format("one", "received", ""), UPLOAD.format("one", "refused", "file.damaged")),
    "upload_failed": (
        UPLOAD.format("one", "failed", "job.worker_died"),
        UPLOAD.format("one", "refused", "file.damaged"),
    ),
    "empty_upload": (UPLOAD.format("one", "refused", "file.no_rows"), UPLOAD.format("one", "refused", "file.damaged")),
    "unmarked_personal_data": (
        UPLOAD.format("one", "loaded", "")
        + FOUND.format(REMARKS, "one")
        + ";"
        + UPLOAD.format("two", "loaded", "")
        + FOUND.format(f"{REMARKS}, {KIN}", "two"),
        UPLOAD.format("one", "loaded", ""),
    ),
    "stale_model": (MODEL.format(1, "366 days"), MODEL.format(1, "364 days")),
    "wrong_champion": (
        MODEL.format(1, "3 days") + MODEL.format(2, "2 days") + PREDICTION.format(1) + WELL + SCORING,
        MODEL.format(1, "3 days") + MODEL.format(2, "2 days") + PREDICTION.format(2) + WELL + SCORING,
    ),
    "accuracy_low": (
        MODEL.format(1, "2 days") + PERFORMANCE.format(0.71),
        MODEL.format(1, "2 days") + PERFORMANCE.format(0.73),
    ),
    "model_drift": (
        MODEL.format(1, "2 days") + DRIFT.format("true"),
        MODEL.format(1, "2 days") + DRIFT.format("day > 1"),
    ),
    "silent_process": (
        BEAT.format("worker", "one", "61 seconds"),
        BEAT.format("worker", "one", "61 seconds") + ";" + BEAT.format("worker", "two", "9 seconds"),
    ),
    "cpu_high": (
        MACHINE.format(0.86, 0.5, 0.5),
        MACHINE.format("case when minutes = 5 then 0.2 else 0.99 end", 0.5, 0.5),
    ),
    "memory_high": (MACHINE.format(0.5, 0.91, 0.5), MACHINE.format(0.5, 0.89, 0.5)),
    "disk_full": (MACHINE.format(0.5, 0.5, 0.86), MACHINE.format(0.5, 0.5, 0.84)),
    "slow_answers": (SLOW.format(11_000), SLOW.format(9_000)),
    "audit_changed": (
        CHECKED.format(1, "failed", "audit.changed"),
        CHECKED.format(1, "failed", "audit.changed") + CHECKED.format(2, "succeeded", ""),
    ),
}


def clear(warehouse: Warehouse, *, keeps_alerts: bool = False) -> None:
    """Take away all that is wrong, and the alerts."""
    with warehouse.database.transaction() as connection:
        connection.execute("set local session_replication_role = replica")  # events are kept else
        for table in (WRITTEN, *([] if keeps_alerts else [BOOK])):
            connection.execute(f"truncate {table} cascade".encode())
        for table in ("ml.model_events", "ml.evaluations", "ml.models"):
            connection.execute(f"delete from {table}".encode())


def do(warehouse: Warehouse, statements: str) -> None:
    with warehouse.database.transaction() as connection:
        connection.execute(statements.encode())


def names(changes: Changes) -> tuple[list[str], list[str], list[str]]:
    opened, repeated, resolved = (
        [alert.alert for alert in alerts] for alerts in (changes.opened, changes.repeated, changes.resolved)
    )
    return opened, repeated, resolved
