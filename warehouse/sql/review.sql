-- name: is_built
select
    to_regclass('validated.int_quarantined_submissions') is not null
    and to_regclass('validated.int_batch_quality') is not null;

-- name: reviewed
select
    quarantined.submission_id,
    quarantined.ingestion_id,
    quarantined.row_number,
    quarantined.household_id,
    quarantined.survey_round,
    quarantined.district,
    quarantined.village,
    quarantined.failed_rules,
    quarantined.reasons,
    quarantined.received_at,
    quarantined.status as built_status,
    own.decision_id as last_decision_id,
    coalesce(batch.decided_by, own.decided_by) as decided_by,
    coalesce(batch.decided_at, own.decided_at) as decided_at,
    coalesce(batch.reason, own.reason) as decision_reason,
    coalesce(quarantined.corrected_by, own.corrected_by) as corrected_by,
    case
        when coalesce(quarantined.corrected_by, own.corrected_by) is not null then 'corrected'
        when coalesce(batch.decision, own.decision) = 'discard' then 'discarded'
        when quarantined.failed_rules <@ coalesce(own.rules, '{}') then 'released'
        else 'open'
    end as status
from validated.int_quarantined_submissions as quarantined
left join lateral (
    select decisions.*
    from review.decisions as decisions
    where decisions.submission_id = quarantined.submission_id
    order by decisions.decision_id desc
    limit 1
) as own on true
left join (
    select distinct on (decisions.ingestion_id) decisions.*
    from review.decisions as decisions
    where decisions.ingestion_id is not null
    order by
        decisions.ingestion_id,
        decisions.decision_id desc
) as batch
    on
        quarantined.ingestion_id = batch.ingestion_id
        and batch.decision = 'discard'
        and (own.decision_id is null or batch.decision_id > own.decision_id)

-- name: list_reviewed
select
    reviewed.*,
    reviewed.status <> reviewed.built_status as awaits_build,
    extract(day from now() - reviewed.received_at)::integer as age_days
from ({reviewed}) as reviewed
where
    (%(status)s::text is null or reviewed.status = %(status)s)
    and (%(rule)s::text is null or %(rule)s = any(reviewed.failed_rules))
    and (%(district)s::text is null or reviewed.district = %(district)s)
    and (%(ingestion_id)s::text is null or reviewed.ingestion_id = %(ingestion_id)s)
    and (%(submission_ids)s::text[] is null or reviewed.submission_id = any(%(submission_ids)s))
order by
    reviewed.received_at,
    reviewed.ingestion_id,
    reviewed.row_number
limit %(limit)s
offset %(offset)s;

-- name: count_reviewed
select
    reviewed.status,
    count(*) as submissions
from ({reviewed}) as reviewed
where
    (%(rule)s::text is null or %(rule)s = any(reviewed.failed_rules))
    and (%(district)s::text is null or reviewed.district = %(district)s)
    and (%(ingestion_id)s::text is null or reviewed.ingestion_id = %(ingestion_id)s)
group by reviewed.status;

-- name: list_batches
select
    batches.ingestion_id,
    batches.submissions,
    batches.rejected_submissions,
    ingestions.filename,
    ingestions.client,
    ingestions.received_at,
    latest.decision_id as last_decision_id,
    latest.decided_by,
    latest.decided_at,
    latest.reason as decision_reason,
    case latest.decision
        when 'release' then 'released'
        when 'discard' then 'discarded'
        else 'held'
    end as status
from validated.int_batch_quality as batches
inner join raw.ingestions as ingestions on batches.ingestion_id = ingestions.ingestion_id
left join lateral (
    select decisions.*
    from review.decisions as decisions
    where decisions.ingestion_id = batches.ingestion_id
    order by decisions.decision_id desc
    limit 1
) as latest on true
where
    (batches.gate_status <> 'passed' or latest.decision in ('release', 'discard'))
    and (%(ingestion_id)s::text is null or batches.ingestion_id = %(ingestion_id)s)
order by
    ingestions.received_at,
    batches.ingestion_id;

-- name: history
select
    decision_id,
    submission_id,
    ingestion_id,
    decision,
    rules,
    corrected_by,
    decided_by,
    decided_at,
    reason
from review.decisions
where submission_id = %(submission_id)s
order by decision_id;

-- name: find_stored
select true as is_stored
from raw.submission_keys
where identity = %(identity)s::uuid;

-- name: raw_survey
select *
from {raw_table}
where ingestion_id = %(ingestion_id)s and row_number = %(row_number)s;

-- name: one_at_a_time
lock table review.decisions in share row exclusive mode;

-- name: decide
insert into review.decisions (submission_id, ingestion_id, decision, rules, corrected_by, decided_by, reason)
select
    decided.submission_id,
    %(ingestion_id)s,
    %(decision)s,
    coalesce((select array_agg(rule) from jsonb_array_elements_text(decided.rules) as rule), '{}'),
    %(corrected_by)s,
    %(decided_by)s,
    %(reason)s
from jsonb_to_recordset(%(decided)s::jsonb) as decided (submission_id text, rules jsonb)
returning
    decision_id,
    submission_id,
    ingestion_id,
    decision,
    rules,
    corrected_by,
    decided_by,
    decided_at,
    reason;

-- name: note_correction
update raw.ingestions
set correction_of = coalesce(corrected.correction_of, corrected.ingestion_id)
from raw.ingestions as corrected
where ingestions.ingestion_id = %(ingestion_id)s and corrected.ingestion_id = %(corrected_ingestion_id)s;
