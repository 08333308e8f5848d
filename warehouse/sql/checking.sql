-- name: insert_checked
insert into raw.ingestions (
    ingestion_id,
    form,
    form_version,
    source,
    status,
    filename,
    content_type,
    size_bytes,
    sha256,
    duplicate_of
)
select
    %(ingestion_id)s,
    %(form)s,
    %(form_version)s,
    'cli',
    'loaded',
    %(filename)s,
    '',
    0,
    %(sha256)s,
    (
        select earlier.ingestion_id
        from raw.ingestions as earlier
        where
            earlier.form = %(form)s
            and earlier.status in ('received', 'loaded')
            and earlier.sha256 = %(sha256)s
        order by earlier.received_at
        limit 1
    )
returning duplicate_of, received_at;

-- name: repeats_within
select count(*)
from raw.repeated_rows as repeated
inner join raw.submission_keys as stored on repeated.identity = stored.identity
where repeated.ingestion_id = %(ingestion_id)s and stored.ingestion_id = %(ingestion_id)s;

-- name: create_checked_surveys
create temporary table checked_surveys on commit drop as
select survey.*
from {raw_table} as survey
where survey.ingestion_id = %(ingestion_id)s
union
select survey.*
from raw.repeated_rows as repeated
inner join raw.submission_keys as stored on repeated.identity = stored.identity
inner join {raw_table} as survey
    on
        stored.ingestion_id = survey.ingestion_id
        and stored.row_number = survey.row_number
where repeated.ingestion_id = %(ingestion_id)s;

-- name: create_checked_repeats
create temporary table checked_repeats on commit drop as
select *
from raw.repeated_rows
where ingestion_id = %(ingestion_id)s;

-- name: broken_rules
select
    broken.rule,
    broken.severity,
    count(*) as rows
from (
    select
        'reject' as severity,
        unnest(failed_rules) as rule
    from {judged}
    where ingestion_id = %(ingestion_id)s
    union all
    select
        'flag',
        unnest(flagged_rules)
    from {judged}
    where ingestion_id = %(ingestion_id)s
) as broken
group by
    broken.rule,
    broken.severity
order by
    broken.severity desc,
    count(*) desc,
    broken.rule;

-- name: count_quarantined
select count(*)
from {quarantined}
where ingestion_id = %(ingestion_id)s;

-- name: gate_status
select max(gate_status) as gate_status
from pg_temp.int_batch_quality
where ingestion_id = %(ingestion_id)s;

-- name: bad_rows
select
    row_number,
    code,
    message
from (
    select
        row_number,
        array_to_string(failed_rules, ', ') as code,
        (select string_agg(reason ->> 'message', '; ') from jsonb_array_elements(reasons) as reason) as message
    from {quarantined}
    where ingestion_id = %(ingestion_id)s
    union all
    select
        row_number,
        reason_code,
        message
    from raw.rejected_rows
    where ingestion_id = %(ingestion_id)s
) as bad
order by row_number
limit %(limit)s;

-- name: rejected_rows
select
    row_number,
    reason_code as code,
    message
from raw.rejected_rows
where ingestion_id = %(ingestion_id)s
order by row_number
limit %(limit)s;
