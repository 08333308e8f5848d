-- name: lock_head
select
    coalesce(audit_heads.sequence, 0) as sequence,
    coalesce(audit_heads.hash, '') as hash,
    coalesce(audit_heads.seal, '') as seal
from ops.audit_heads
where audit_heads.chain_id = %(chain_id)s
for update;

-- name: begin_heads
insert into ops.audit_heads (chain_id, sequence, hash, seal)
values (%(chain_id)s, %(sequence)s, %(hash)s, %(seal)s)
on conflict (chain_id) do nothing;

-- name: newest_chain
select coalesce(max(audit_chains.position), 0) as position
from ops.audit_chains;

-- name: open_chain
with head as (
    update ops.audit_heads
    set sequence = %(position)s, hash = %(hash)s, seal = %(seal)s
    where audit_heads.chain_id = ''
),

own_head as (
    insert into ops.audit_heads (chain_id, sequence, hash, seal)
    values (%(chain_id)s, 0, %(hash)s, %(own_seal)s)
)

insert into ops.audit_chains (position, chain_id, opened_at, opened_by, previous_hash, hash)
values (
    %(position)s,
    %(chain_id)s,
    timestamptz 'epoch' + %(opened_at)s * interval '1 microsecond',
    %(opened_by)s,
    %(previous_hash)s,
    %(hash)s
);

-- name: append
with head as (
    update ops.audit_heads
    set sequence = %(sequence)s, hash = %(hash)s, seal = %(seal)s
    where
        audit_heads.chain_id = %(chain_id)s
        and audit_heads.sequence = %(last_sequence)s
        and audit_heads.hash = %(last_hash)s
    returning audit_heads.chain_id
)

insert into ops.audit_log (
    chain_id, sequence, at, door, action, actor, source, subject, result, code, http_status, records, households,
    request_id, previous_hash, hash
)
select
    head.chain_id,
    entry.sequence,
    timestamptz 'epoch' + entry.at * interval '1 microsecond' as at,
    entry.door,
    entry.action,
    entry.actor,
    entry.source,
    entry.subject,
    entry.result,
    entry.code,
    entry.http_status,
    entry.records,
    entry.households,
    entry.request_id,
    decode(entry.previous_hash, 'hex') as previous_hash,
    decode(entry.hash, 'hex') as hash
from head
cross join json_to_recordset(%(entries)s::json) as entry (
    sequence bigint,
    at bigint,
    door text,
    action text,
    actor text,
    source text,
    subject text,
    result text,
    code text,
    http_status smallint,
    records integer,
    households text [],
    request_id text,
    previous_hash text,
    hash text
);

-- name: read_chains
-- What verification reads is no null where it is compared, and no time that a number cannot hold: who writes such a
-- thing has changed one entry, and must not keep the others from being read.
select
    coalesce(audit_chains.position, 0) as position,
    coalesce(audit_chains.chain_id, '') as chain_id,
    (
        1000000 * extract(
            epoch from
            least(greatest(audit_chains.opened_at, timestamptz '1970-01-01 00:00+00'), timestamptz '9999-01-01 00:00+00')
        )
    )::bigint as opened_at,
    audit_chains.opened_by,
    coalesce(audit_chains.previous_hash, '')::bytea as previous_hash,
    coalesce(audit_chains.hash, '')::bytea as hash
from ops.audit_chains
order by audit_chains.position;

-- name: read_heads
select
    coalesce(audit_heads.chain_id, '') as chain_id,
    coalesce(audit_heads.sequence, 0) as sequence,
    coalesce(audit_heads.hash, '')::bytea as hash,
    coalesce(audit_heads.seal, '')::bytea as seal
from ops.audit_heads
order by audit_heads.chain_id;

-- name: read_entries
select
    coalesce(audit_log.chain_id, '') as chain_id,
    coalesce(audit_log.sequence, 0) as sequence,
    (
        1000000 * extract(
            epoch from
            least(greatest(audit_log.at, timestamptz '1970-01-01 00:00+00'), timestamptz '9999-01-01 00:00+00')
        )
    )::bigint as at,
    audit_log.door,
    audit_log.action,
    audit_log.actor,
    audit_log.source,
    audit_log.subject,
    audit_log.result,
    audit_log.code,
    audit_log.http_status,
    audit_log.records,
    audit_log.households,
    audit_log.request_id,
    coalesce(audit_log.previous_hash, '')::bytea as previous_hash,
    coalesce(audit_log.hash, '')::bytea as hash
from ops.audit_log
order by
    audit_log.chain_id,
    audit_log.sequence;

-- name: list_entries
select
    least(greatest(audit_log.at, timestamptz '1970-01-01 00:00+00'), timestamptz '9999-01-01 00:00+00') as at,
    coalesce(audit_log.door, '') as door,
    coalesce(audit_log.action, '') as action,
    audit_log.actor,
    audit_log.source,
    audit_log.subject,
    coalesce(audit_log.result, '') as result,
    audit_log.code,
    audit_log.http_status,
    audit_log.records,
    coalesce(audit_log.households, '{}') as households,
    audit_log.request_id,
    audit_log.chain_id,
    audit_log.sequence
from ops.audit_log
where
    (%(since)s::timestamptz is null or audit_log.at >= %(since)s)
    and (%(actor)s::text is null or audit_log.actor = %(actor)s)
    and (%(action)s::text is null or audit_log.action like %(action)s)
    and (
        %(household_id)s::text is null
        or audit_log.subject = %(household_id)s
        or %(household_id)s = any(audit_log.households)
    )
order by
    audit_log.at desc,
    audit_log.chain_id desc,
    audit_log.sequence desc
limit %(limit)s;

-- name: senders_of_household
select distinct
    ingestions.received_at as at,
    ingestions.source as door,
    'survey.receive' as action,
    coalesce(ingestions.client, loading.actor) as actor,
    ingestions.ingestion_id as subject
from {raw_table} as survey
inner join raw.ingestions on survey.ingestion_id = ingestions.ingestion_id
left join ops.audit_log as loading
    on
        ingestions.ingestion_id = loading.subject
        and loading.door = 'cli'
        and loading.action = 'load.file'
where
    survey.{identifier} = %(household_id)s
    and ingestions.ingestion_id <> all(%(known)s)
order by ingestions.received_at desc
limit %(limit)s;
