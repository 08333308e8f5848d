-- name: defer
select unnest(
    jobs.procrastinate_defer_jobs_v1(
        array[
            row(
                %(queue)s,
                %(task)s,
                0,
                %(lock)s,
                null,
                %(arguments)s,
                null
            )::jobs.procrastinate_job_to_defer_v1
        ]
    )
);

-- name: drop_reminders
delete from jobs.procrastinate_jobs
where
    status = 'todo'
    and task_name = %(task)s
    and args ->> 'ingestion_id' = %(ingestion_id)s;

-- name: lock_sweep
select pg_advisory_xact_lock(hashtextextended('kyalo.jobs', 0));

-- name: abort_orphans
select jobs.procrastinate_finish_job_v1(job.id, 'aborted', false)
from jobs.procrastinate_jobs as job
left join jobs.procrastinate_workers as worker on job.worker_id = worker.id
where
    job.status = 'doing'
    and (worker.id is null or worker.last_heartbeat < now() - make_interval(secs => %(silent_seconds)s));

-- name: revive_orphans
select jobs.procrastinate_retry_job_v1(job.id, now(), null, null, null)
from jobs.procrastinate_jobs as job
left join jobs.procrastinate_workers as worker on job.worker_id = worker.id
where
    job.status = 'doing'
    and job.queue_name = %(queue)s
    and job.attempts < %(most_deaths)s
    and (worker.id is null or worker.last_heartbeat < now() - make_interval(secs => %(silent_seconds)s));

-- name: tell_schedule
update ops.scheduled_starts as starts
set
    status = case when job.status = 'todo' then 'waiting' else 'failed' end,
    finished_at = clock_timestamp(),
    error_code = 'job.worker_died',
    error_message = 'The worker died at this job.'
from jobs.procrastinate_jobs as job
where
    starts.job_number = job.id
    and starts.status = 'running'
    and job.status in ('todo', 'aborted');

-- name: forget_old_jobs
delete from jobs.procrastinate_jobs as job
where
    job.status in ('failed', 'aborted', 'cancelled')
    and not exists (
        select 1
        from jobs.procrastinate_events as event
        where event.job_id = job.id and event.at > now() - make_interval(days => %(days)s)
    );

-- name: unattended
with pending as (
    select ingestion_id
    from raw.ingestions
    where
        status = 'received'
        and not exists (
            select 1
            from jobs.procrastinate_jobs as waiting
            where
                waiting.status = 'todo'
                and waiting.task_name = %(task)s
                and waiting.args ->> 'ingestion_id' = ingestions.ingestion_id
        )
    for update skip locked
)

select
    pending.ingestion_id,
    (
        select count(*)
        from jobs.procrastinate_jobs as job
        inner join jobs.procrastinate_events as event on job.id = event.job_id
        where
            job.task_name = %(task)s
            and job.args ->> 'ingestion_id' = pending.ingestion_id
            and event.type = 'aborted'
    ) as deaths
from pending
order by pending.ingestion_id;

-- name: give_up
update raw.ingestions
set
    status = 'failed',
    attempts = attempts + 1,
    error_code = %(error_code)s,
    error_message = %(error_message)s
where ingestion_id = %(ingestion_id)s and status = 'received';

-- name: job_counts
select
    task_name as task,
    count(*) filter (where status = 'todo' and attempts = 0) as waiting,
    count(*) filter (where status = 'doing') as running,
    count(*) filter (where status = 'todo' and attempts > 0) as retrying,
    count(*) filter (where status = 'failed') as failed,
    count(*) filter (where status = 'aborted') as interrupted
from jobs.procrastinate_jobs
group by task_name
order by task_name;
