-- name: lock_alerts
select pg_advisory_xact_lock(hashtextextended('ops.alerts', 0));

-- name: missing_tables
select needed
from unnest(%(tables)s::text[]) as listed (needed)
where to_regclass(needed) is null;

-- name: looked_at_since_runs
select alert
from ops.alert_checks
where
    checked_at > (
        select coalesce(max(coalesce(finished_at, %(now)s::timestamptz)), '-infinity')
        from ops.pipeline_runs
    );

-- name: note_checks
insert into ops.alert_checks (alert, checked_at)
select
    alert,
    %(now)s
from unnest(%(alerts)s::text[]) as listed (alert)
on conflict (alert) do update set checked_at = excluded.checked_at;

-- name: select_alerts
select
    alert_id::text as alert_id,
    alert,
    subject,
    severity,
    message,
    runbook,
    facts,
    opened_at,
    last_seen_at,
    last_sent_at,
    times_sent,
    acknowledged_at,
    acknowledged_by,
    resolved_at
from ops.alerts
where
    (%(with_resolved)s or resolved_at is null)
    and (%(alert_ids)s::text[] is null or alert_id::text = any(%(alert_ids)s))
order by
    resolved_at is not null,
    opened_at desc
limit %(limit)s;

-- name: record_finding
insert into ops.alerts as standing (
    alert,
    subject,
    severity,
    message,
    runbook,
    facts,
    opened_at,
    last_seen_at
)
values (
    %(alert)s,
    %(subject)s,
    %(severity)s,
    %(message)s,
    %(runbook)s,
    %(facts)s,
    %(now)s,
    %(now)s
)
on conflict (alert, subject) where resolved_at is null do update set
    severity = excluded.severity,
    message = excluded.message,
    runbook = excluded.runbook,
    facts = excluded.facts,
    last_seen_at = excluded.last_seen_at
returning
    alert_id::text as alert_id,
    standing.xmax = 0 as is_new;

-- name: resolve
update ops.alerts
set resolved_at = %(now)s
where
    resolved_at is null
    and alert <> all(%(left_alone)s)
    and alert_id::text <> all(%(found)s)
returning alert_id::text as alert_id;

-- name: due_messages
with
told as (
    select
        alert_id,
        max(sent_at) filter (where kind <> 'resolved') as told_at,
        bool_or(kind = 'resolved') as knows_of_end
    from ops.alert_deliveries
    where receiver = %(receiver)s and is_delivered
    group by alert_id
)

select
    alerts.alert_id::text as alert_id,
    case
        when alerts.resolved_at is not null then 'resolved'
        when told.told_at is null then 'opened'
        else 'repeated'
    end as kind
from ops.alerts as alerts
left join told on alerts.alert_id = told.alert_id
where
    (
        alerts.resolved_at is null
        and alerts.acknowledged_at is null
        and (
            told.told_at is null
            or told.told_at
            <= %(now)s - (%(repeat_hours)s::jsonb ->> alerts.severity)::double precision * interval '1 hour'
        )
    )
    or (
        alerts.resolved_at > %(now)s - interval '7 days'
        and told.told_at is not null
        and not told.knows_of_end
    )
order by alerts.opened_at;

-- name: forget_failed_delivery
delete from ops.alert_deliveries
where
    alert_id::text = %(alert_id)s
    and kind = %(kind)s
    and receiver = %(receiver)s
    and not is_delivered;

-- name: record_delivery
insert into ops.alert_deliveries (alert_id, sent_at, kind, receiver, is_delivered, problem)
values (%(alert_id)s, %(now)s, %(kind)s, %(receiver)s, %(is_delivered)s, %(problem)s);

-- name: note_sent
update ops.alerts
set
    last_sent_at = %(now)s,
    times_sent = times_sent + 1
where alert_id::text = %(alert_id)s and %(is_delivered)s;

-- name: acknowledge
update ops.alerts
set
    acknowledged_at = clock_timestamp(),
    acknowledged_by = %(acknowledged_by)s
where
    resolved_at is null
    and (alert = %(alert)s or alert_id::text = %(alert)s)
    and (%(subject)s::text is null or subject = %(subject)s)
returning alert_id::text as alert_id;
