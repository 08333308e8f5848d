{{ config(indexes=[{'columns': ['data_quality_id'], 'unique': true}]) }}

with

outcomes as (
    select * from {{ ref('int_submission_outcomes') }}
),

evaluated as (
    select * from {{ ref('int_submissions_evaluated') }}
),

judged as (
    select
        (outcomes.received_at at time zone 'utc')::date as received_date,
        coalesce(outcomes.district, 'unknown') as district,
        coalesce(outcomes.enumerator_id, 'unknown') as enumerator_id,
        outcomes.outcome,
        cardinality(outcomes.failed_rules) + cardinality(outcomes.waived_rules) > 0 as is_rejected,
        cardinality(outcomes.flagged_rules) > 0 as is_flagged,
        evaluated.completeness_passed,
        evaluated.completeness_checked,
        evaluated.validity_passed,
        evaluated.validity_checked,
        (
            'identifier_collision' <> all(outcomes.failed_rules || outcomes.waived_rules)
        )::integer as uniqueness_passed,
        evaluated.consistency_passed,
        evaluated.consistency_checked,
        evaluated.timeliness_passed,
        evaluated.timeliness_checked
    from outcomes
    inner join evaluated on outcomes.submission_id = evaluated.submission_id
),

counted as (
    select
        received_date,
        district,
        enumerator_id,
        count(*) as submissions,
        count(*) filter (where outcome = 'released') as released_submissions,
        count(*) filter (where outcome = 'superseded') as superseded_submissions,
        count(*) filter (where outcome = 'held') as held_submissions,
        count(*) filter (where outcome = 'quarantined') as quarantined_submissions,
        count(*) filter (where is_rejected) as rejected_submissions,
        count(*) filter (where is_flagged) as flagged_submissions,
        sum(completeness_passed) as completeness_passed,
        sum(completeness_checked) as completeness_checked,
        sum(validity_passed) as validity_passed,
        sum(validity_checked) as validity_checked,
        sum(uniqueness_passed) as uniqueness_passed,
        count(*) as uniqueness_checked,
        sum(consistency_passed) as consistency_passed,
        sum(consistency_checked) as consistency_checked,
        sum(timeliness_passed) as timeliness_passed,
        sum(timeliness_checked) as timeliness_checked
    from judged
    group by
        received_date,
        district,
        enumerator_id
),

quality as (
    select
        {{ joined_key(['received_date::text', 'district', 'enumerator_id']) }} as data_quality_id,
        enumerator_id,
        district,
        submissions,
        released_submissions,
        superseded_submissions,
        held_submissions,
        quarantined_submissions,
        rejected_submissions,
        flagged_submissions,
        completeness_passed,
        completeness_checked,
        validity_passed,
        validity_checked,
        uniqueness_passed,
        uniqueness_checked,
        consistency_passed,
        consistency_checked,
        timeliness_passed,
        timeliness_checked,
        {{ quality_score() }} as quality_score,
        received_date
    from counted
)

select * from quality
