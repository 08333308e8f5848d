with

judged as (
    select * from {{ ref('int_submissions_judged') }}
),

counted as (
    select
        ingestion_id,
        district,
        count(*) as submissions,
        count(*) filter (
            where failed_rules <> '{}' and corrected_by is null and decision is distinct from 'discard'
        ) as rejected_submissions,
        count(*) filter (where flagged_rules <> '{}') as flagged_submissions,
        sum(completeness_passed)::bigint as completeness_passed,
        sum(completeness_checked)::bigint as completeness_checked,
        sum(validity_passed)::bigint as validity_passed,
        sum(validity_checked)::bigint as validity_checked,
        count(*) filter (where not is_identifier_contested) as uniqueness_passed,
        count(*) as uniqueness_checked,
        sum(consistency_passed)::bigint as consistency_passed,
        sum(consistency_checked)::bigint as consistency_checked,
        sum(timeliness_passed)::bigint as timeliness_passed,
        sum(timeliness_checked)::bigint as timeliness_checked
    from judged
    group by
        ingestion_id,
        district
)

select * from counted
