-- name: beat
insert into ops.heartbeats (process, instance, host, process_id, started_at, doing)
values (%(process)s, %(instance)s, %(host)s, %(process_id)s, %(started_at)s, %(doing)s)
on conflict (process, instance) do update
set
    host = excluded.host,
    process_id = excluded.process_id,
    started_at = excluded.started_at,
    beat_at = clock_timestamp(),
    doing = excluded.doing;

-- name: predecessors
select
    instance,
    process_id,
    started_at
from ops.heartbeats
where process = %(process)s and host = %(host)s;

-- name: forget
delete from ops.heartbeats
where process = %(process)s and instance = %(instance)s and started_at = %(started_at)s;

-- name: list_heartbeats
select
    process,
    instance,
    host,
    process_id,
    started_at,
    beat_at,
    extract(epoch from clock_timestamp() - beat_at)::double precision as silent_seconds,
    doing
from ops.heartbeats
order by process, instance;
