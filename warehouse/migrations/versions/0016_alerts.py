"""Alerts: what is wrong, since when, who knows; and how runs ended, as alerts see it."""

from alembic import op

revision = "0016_alerts"
down_revision = "0015_monitoring"
branch_labels = None
depends_on = None

UPGRADE = """
create table ops.alerts (
    alert_id uuid primary key default uuidv7(),
    alert text not null,
    subject text not null default '',
    severity text not null check (severity in ('info', 'warning', 'error', 'critical')),
    message text not null,
    runbook text not null,
    facts jsonb not null default '{}',
    opened_at timestamptz not null default clock_timestamp(),
    last_seen_at timestamptz not null default clock_timestamp(),
    last_sent_at timestamptz,
    times_sent integer not null default 0,
    acknowledged_at timestamptz,
    acknowledged_by text,
    resolved_at timestamptz
);
create unique index alerts_open_once on ops.alerts (alert, subject) where resolved_at is null;
create index alerts_by_time on ops.alerts (opened_at desc);
create index ingestions_failed on raw.ingestions (received_at) where status in ('failed', 'refused');
comment on table ops.alerts is 'One row for each time that something was wrong; it is open until it is right again.';
comment on column ops.alerts.alert_id is 'Identity of the alert.';
comment on column ops.alerts.alert is 'What is wrong: the rule that found it.';
comment on column ops.alerts.subject is 'With what: a step, a host, a track, a district; else empty.';
comment on column ops.alerts.severity is 'info, warning, error or critical.';
comment on column ops.alerts.message is 'What is wrong, in words.';
comment on column ops.alerts.runbook is 'Where docs/runbooks.md says what to do.';
comment on column ops.alerts.facts is 'What was seen, and the limit it was held against.';
comment on column ops.alerts.opened_at is 'When it was found.';
comment on column ops.alerts.last_seen_at is 'When it was last found.';
comment on column ops.alerts.last_sent_at is 'When somebody was told last.';
comment on column ops.alerts.times_sent is 'How often somebody was told.';
comment on column ops.alerts.acknowledged_at is 'When somebody said that they know; it is not sent again.';
comment on column ops.alerts.acknowledged_by is 'Who.';
comment on column ops.alerts.resolved_at is 'When it was right again.';

create table ops.alert_deliveries (
    delivery_id bigint generated always as identity primary key,
    alert_id uuid not null references ops.alerts on delete cascade,
    sent_at timestamptz not null default clock_timestamp(),
    kind text not null check (kind in ('opened', 'repeated', 'resolved')),
    receiver text not null,
    is_delivered boolean not null,
    problem text
);
create index alert_deliveries_by_alert on ops.alert_deliveries (alert_id);
comment on table ops.alert_deliveries is 'Every message about an alert, and whether it went out.';
comment on column ops.alert_deliveries.delivery_id is 'Counts up.';
comment on column ops.alert_deliveries.alert_id is 'The alert.';
comment on column ops.alert_deliveries.sent_at is 'When.';
comment on column ops.alert_deliveries.kind is 'What it told.';
comment on column ops.alert_deliveries.receiver is 'By which way, without secrets.';
comment on column ops.alert_deliveries.is_delivered is 'Whether the receiver took it.';
comment on column ops.alert_deliveries.problem is 'Why it did not.';

create table ops.alert_checks (
    alert text primary key,
    checked_at timestamptz not null
);
comment on table ops.alert_checks is 'One row for each rule: when it was last looked whether something is wrong.';
comment on column ops.alert_checks.alert is 'The rule, as ops.alerts names it.';
comment on column ops.alert_checks.checked_at is 'When.';
"""


def upgrade() -> None:
    """Create the alerts and their messages."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them."""
    op.execute("drop table ops.alert_checks, ops.alert_deliveries, ops.alerts")
    op.execute("drop index raw.ingestions_failed")
