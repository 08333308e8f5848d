-- name: enter_job
insert into ops.schedules (job, schedule, timezone, settled_until, next_due_at)
values (%(job)s, %(schedule)s, %(timezone)s, %(now)s, %(next_due_at)s)
on conflict (job) do nothing;

-- name: lock_job
select
    job,
    schedule,
    timezone,
    is_paused,
    settled_until
from ops.schedules
where job = %(job)s
for update;

-- name: settle_job
update ops.schedules
set
    schedule = %(schedule)s,
    timezone = %(timezone)s,
    is_paused = %(is_paused)s,
    -- A clock that was ahead shall not keep back what is due until its time has come.
    settled_until = case
        when settled_until > %(now)s + interval '1 hour' then %(now)s
        else greatest(settled_until, %(now)s)
    end,
    next_due_at = %(next_due_at)s,
    updated_at = clock_timestamp()
where job = %(job)s;

-- name: due_jobs
select job
from ops.schedules
where next_due_at <= %(now)s
order by next_due_at, job;

-- name: waiting_number
select max(id) as job_number
from jobs.procrastinate_jobs
where task_name = %(job)s and status = 'todo' and attempts = 0;

-- name: insert_start
insert into ops.scheduled_starts (job, due_at, enqueued_at, requested_by, is_caught_up, job_number)
values (%(job)s, %(due_at)s, %(now)s, %(requested_by)s, %(is_caught_up)s, %(job_number)s);

-- name: list_jobs
select
    schedules.job,
    schedules.schedule,
    schedules.timezone,
    schedules.is_paused,
    schedules.next_due_at,
    last_start.due_at as last_due_at,
    last_start.enqueued_at as last_start_at,
    last_start.requested_by,
    last_start.is_caught_up,
    last_start.status,
    last_start.finished_at,
    last_start.did,
    last_start.error_code,
    last_start.error_message
from ops.schedules as schedules
left join lateral (
    select starts.*
    from ops.scheduled_starts as starts
    where starts.job = schedules.job
    order by starts.enqueued_at desc
    limit 1
) as last_start on true
order by array_position(%(jobs)s, schedules.job);

-- name: begin_start
update ops.scheduled_starts
set
    status = 'running',
    began_at = clock_timestamp(),
    finished_at = null,
    error_code = null,
    error_message = null
where job_number = %(job_number)s;

-- name: finish_start
update ops.scheduled_starts
set
    status = %(status)s,
    finished_at = clock_timestamp(),
    did = %(did)s,
    error_code = %(error_code)s,
    error_message = %(error_message)s
where job_number = %(job_number)s;

-- name: run_to_resume
select newest.run_id
from (
    select
        run_id,
        status,
        started_at,
        requested_by
    from ops.pipeline_runs
    where scope = ''
    order by started_at desc
    limit 1
) as newest
where
    newest.status <> 'succeeded'
    and newest.requested_by = 'schedule'
    and newest.started_at >= (
        select min(enqueued_at)
        from ops.scheduled_starts
        where job_number = %(job_number)s
    );

-- name: settle_start
update ops.scheduled_starts
set
    status = case when status = 'running' then 'waiting' else status end,
    finished_at = clock_timestamp(),
    error_code = case when status = 'running' then %(error_code)s else error_code end,
    error_message = case when status = 'running' then %(error_message)s else error_message end
where job_number = %(job_number)s
returning status, error_message;

-- name: give_up_start
update ops.scheduled_starts
set status = 'failed'
where job_number = %(job_number)s and status = 'waiting';
