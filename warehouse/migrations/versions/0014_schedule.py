"""What is due when, what was started, and which processes are alive."""

from alembic import op

revision = "0014_schedule"
down_revision = "0013_steps"
branch_labels = None
depends_on = None

UPGRADE = """
create table ops.schedules (
    job text primary key,
    schedule text not null,
    timezone text not null,
    is_paused boolean not null default false,
    settled_until timestamptz not null,
    next_due_at timestamptz,
    updated_at timestamptz not null default now()
);
comment on table ops.schedules is 'One row for each job of the schedule.';
comment on column ops.schedules.job is 'The job.';
comment on column ops.schedules.schedule is 'When it is due: five cron fields.';
comment on column ops.schedules.timezone is 'Time zone of those fields.';
comment on column ops.schedules.is_paused is 'Whether somebody paused it.';
comment on column ops.schedules.settled_until is 'What was due until then was started, or is let go.';
comment on column ops.schedules.next_due_at is 'When it is due next.';
comment on column ops.schedules.updated_at is 'When this row was written last.';

create table ops.scheduled_starts (
    job text not null,
    due_at timestamptz not null,
    enqueued_at timestamptz not null default now(),
    requested_by text not null,
    is_caught_up boolean not null default false,
    job_number bigint not null,
    status text not null default 'waiting' check (status in ('waiting', 'running', 'succeeded', 'failed')),
    began_at timestamptz,
    finished_at timestamptz,
    did text not null default '',
    error_code text,
    error_message text,
    primary key (job, due_at)
);
create index scheduled_starts_by_number on ops.scheduled_starts (job_number);
comment on table ops.scheduled_starts is 'One row for each time that a job was given to the workers.';
comment on column ops.scheduled_starts.job is 'The job; see ops.schedules.';
comment on column ops.scheduled_starts.due_at is 'When it was due; one start for each.';
comment on column ops.scheduled_starts.enqueued_at is 'When it was given to the workers.';
comment on column ops.scheduled_starts.requested_by is 'The schedule, or a person.';
comment on column ops.scheduled_starts.is_caught_up is 'Whether it was missed, and started later.';
comment on column ops.scheduled_starts.job_number is
    'Its number in the queue of the workers; one that still waits serves the next due time as well.';
comment on column ops.scheduled_starts.status is 'How far it is; one that is to be tried again waits.';
comment on column ops.scheduled_starts.began_at is 'When a worker began it, the last time.';
comment on column ops.scheduled_starts.finished_at is 'When it ended, well or not.';
comment on column ops.scheduled_starts.did is 'What it did, in a few words.';
comment on column ops.scheduled_starts.error_code is 'Why it failed.';
comment on column ops.scheduled_starts.error_message is 'The same in words.';

create table ops.scheduler_alarms (
    id varchar(191) primary key,
    next_run_time double precision,
    job_state bytea not null
);
create index scheduler_alarms_by_time on ops.scheduler_alarms (next_run_time);
comment on table ops.scheduler_alarms is 'When APScheduler wakes; as it wants it.';
comment on column ops.scheduler_alarms.id is 'The job; see ops.schedules.';
comment on column ops.scheduler_alarms.next_run_time is 'When it is due next, in seconds since 1970.';
comment on column ops.scheduler_alarms.job_state is 'What APScheduler keeps of it.';

create table ops.heartbeats (
    process text not null,
    instance text not null,
    host text not null,
    process_id integer not null,
    started_at timestamptz not null,
    beat_at timestamptz not null default clock_timestamp(),
    doing text not null default '',
    primary key (process, instance)
);
comment on table ops.heartbeats is 'One row for each process that lives; it says so at least every 30 seconds.';
comment on column ops.heartbeats.process is 'api, worker, scheduler, dashboard or pipeline.';
comment on column ops.heartbeats.instance is 'Which one of them.';
comment on column ops.heartbeats.host is 'The machine that it runs on.';
comment on column ops.heartbeats.process_id is 'Its number there.';
comment on column ops.heartbeats.started_at is 'When it started.';
comment on column ops.heartbeats.beat_at is 'When it was heard of last; a row whose process ended well is deleted.';
comment on column ops.heartbeats.doing is 'What it was doing, in a few words.';
"""


def upgrade() -> None:
    """Create the schedule, its starts and the heartbeats."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them."""
    op.execute("drop table ops.heartbeats, ops.scheduler_alarms, ops.scheduled_starts, ops.schedules")
