"""What each run did, step by step, what dbt said of every node, and what was exported."""

from alembic import op

revision = "0013_steps"
down_revision = "0012_models"
branch_labels = None
depends_on = None

UPGRADE = """
alter table ops.pipeline_runs
    add column requested_by text not null default 'command',
    add column scope text not null default '',
    add column resumes_run_id text references ops.pipeline_runs,
    add column host text,
    add column process_id integer,
    add column log_reference text,
    drop column steps;
comment on table ops.pipeline_runs is 'One row for each run of the pipeline; its steps are in ops.pipeline_steps.';
comment on column ops.pipeline_runs.requested_by is 'Who asked for it: the schedule, or a person at a command.';
comment on column ops.pipeline_runs.scope is 'Which steps somebody asked for, where not for all: only STEP, from STEP.';
comment on column ops.pipeline_runs.resumes_run_id is 'The failed run whose finished steps it did not do again.';
comment on column ops.pipeline_runs.host is 'The machine that it runs on.';
comment on column ops.pipeline_runs.process_id is 'Its process there.';
comment on column ops.pipeline_runs.log_reference is 'Where its log lines are.';

create table ops.pipeline_steps (
    run_id text not null references ops.pipeline_runs on delete cascade,
    step text not null,
    attempt integer not null default 1 check (attempt > 0),
    status text not null check (status in ('running', 'succeeded', 'failed', 'skipped')),
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    seconds double precision generated always as (extract(epoch from finished_at - started_at)) stored,
    rows_in bigint,
    rows_out bigint,
    did text not null default '',
    error_code text,
    error_message text,
    log_reference text,
    primary key (run_id, step, attempt)
);
comment on table ops.pipeline_steps is 'One row for each try of a step of a run.';
comment on column ops.pipeline_steps.run_id is 'The run.';
comment on column ops.pipeline_steps.step is 'The step, as the graph names it.';
comment on column ops.pipeline_steps.attempt is 'Counts the tries of the step in this run.';
comment on column ops.pipeline_steps.status is 'skipped: an earlier run did it, or nobody asked for it.';
comment on column ops.pipeline_steps.started_at is 'When it began.';
comment on column ops.pipeline_steps.finished_at is 'When it ended, well or not.';
comment on column ops.pipeline_steps.seconds is 'How long it took.';
comment on column ops.pipeline_steps.rows_in is 'Rows that it had to work on.';
comment on column ops.pipeline_steps.rows_out is 'Rows that it wrote.';
comment on column ops.pipeline_steps.did is 'What it did, in a few words.';
comment on column ops.pipeline_steps.error_code is 'Why it failed.';
comment on column ops.pipeline_steps.error_message is 'The same in words.';
comment on column ops.pipeline_steps.log_reference is 'Where its log lines are.';

create table ops.dbt_results (
    run_id text not null,
    step text not null,
    node_id text not null,
    node_name text not null,
    resource_type text not null,
    status text not null,
    seconds double precision not null,
    rows_affected bigint,
    failures bigint,
    message text,
    finished_at timestamptz not null default clock_timestamp(),
    primary key (run_id, step, node_id)
);
create index dbt_results_by_node on ops.dbt_results (node_name, finished_at desc);
comment on table ops.dbt_results is 'What dbt said of every model and test of a run.';
comment on column ops.dbt_results.run_id is 'The run; see ops.pipeline_runs.';
comment on column ops.dbt_results.step is 'The step that asked dbt.';
comment on column ops.dbt_results.node_id is 'The node, as dbt identifies it.';
comment on column ops.dbt_results.node_name is 'Its name.';
comment on column ops.dbt_results.resource_type is 'model, test, seed, snapshot, function ...';
comment on column ops.dbt_results.status is 'success, pass, warn, fail, error, skipped.';
comment on column ops.dbt_results.seconds is 'How long it took.';
comment on column ops.dbt_results.rows_affected is 'Rows that the model wrote, where the database tells.';
comment on column ops.dbt_results.failures is 'Rows that the test found.';
comment on column ops.dbt_results.message is 'What dbt said.';
comment on column ops.dbt_results.finished_at is 'When it was recorded.';

create table ops.exports (
    run_id text not null,
    object_key text primary key,
    relation text not null,
    sha256 text not null,
    bytes bigint not null,
    rows bigint not null,
    exported_at timestamptz not null default clock_timestamp()
);
create index exports_by_run on ops.exports (run_id);
comment on table ops.exports is 'One row for each file that a run wrote to the object store for others to read.';
comment on column ops.exports.run_id is 'The run; see ops.pipeline_runs.';
comment on column ops.exports.object_key is 'The file in the object store.';
comment on column ops.exports.relation is 'The table that it holds.';
comment on column ops.exports.sha256 is 'Hash of the file.';
comment on column ops.exports.bytes is 'Its size.';
comment on column ops.exports.rows is 'Rows that it holds.';
comment on column ops.exports.exported_at is 'When it was written.';
"""

VIEWS = """
create view ops.run_results as
with
published as (
    select
        run_id,
        max(finished_at) as finished_at
    from ops.pipeline_steps
    where step = 'publish' and status = 'succeeded'
    group by run_id
)

select
    runs.run_id,
    case
        when runs.error_code = 'build.gate_closed' then 'stopped'
        when runs.error_code = 'run.interrupted' then 'interrupted'
        when runs.status = 'running' and published.run_id is not null then 'succeeded'
        else runs.status
    end as result,
    runs.scope,
    runs.started_at,
    coalesce(runs.finished_at, published.finished_at) as finished_at,
    runs.error_code,
    runs.error_message
from ops.pipeline_runs as runs
left join published on runs.run_id = published.run_id;
comment on view ops.run_results is
    'How each run ended: running, succeeded (it may still export what it published), failed, stopped by a gate, or '
    'interrupted by a person.';

create view ops.ended_runs as
select
    run_id,
    result,
    started_at,
    finished_at,
    error_code,
    error_message,
    row_number() over (order by started_at desc) as recency
from ops.run_results
where result not in ('running', 'interrupted') and scope = '';
comment on view ops.ended_runs is
    'Runs of every step that came to an end of their own, by which the pipeline is judged.';
comment on column ops.ended_runs.recency is '1 for the newest.';
"""


def upgrade() -> None:
    """Create the record of steps, of dbt's results and of exports, and the views that judge runs."""
    op.execute(UPGRADE)
    op.execute(VIEWS)


def downgrade() -> None:
    """Drop them."""
    op.execute("drop view ops.ended_runs, ops.run_results")
    op.execute("drop table ops.exports, ops.dbt_results, ops.pipeline_steps")
    op.execute(
        "alter table ops.pipeline_runs drop column requested_by, drop column scope, drop column resumes_run_id,"
        " drop column host, drop column process_id, drop column log_reference,"
        " add column steps jsonb not null default '[]'"
    )
