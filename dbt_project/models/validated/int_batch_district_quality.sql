{#- What a reviewer discarded is counted, but judged no more: it opens the gate that it closed. -#}
with

judged as (
    select
        *,
        coalesce(decision = 'discard', false) as is_discarded
    from {{ ref('int_submissions_judged') }}
),

counted as (
    select
        ingestion_id,
        district,
        count(*) as submissions,
        count(*) filter (
            where failed_rules <> '{}' and corrected_by is null and not is_discarded
        ) as rejected_submissions,
        count(*) filter (where flagged_rules <> '{}') as flagged_submissions,
        coalesce(sum(completeness_passed) filter (where not is_discarded), 0)::bigint as completeness_passed,
        coalesce(sum(completeness_checked) filter (where not is_discarded), 0)::bigint as completeness_checked,
        coalesce(sum(validity_passed) filter (where not is_discarded), 0)::bigint as validity_passed,
        coalesce(sum(validity_checked) filter (where not is_discarded), 0)::bigint as validity_checked,
        count(*) filter (where not is_identifier_contested and not is_discarded) as uniqueness_passed,
        count(*) filter (where not is_discarded) as uniqueness_checked,
        coalesce(sum(consistency_passed) filter (where not is_discarded), 0)::bigint as consistency_passed,
        coalesce(sum(consistency_checked) filter (where not is_discarded), 0)::bigint as consistency_checked,
        coalesce(sum(timeliness_passed) filter (where not is_discarded), 0)::bigint as timeliness_passed,
        coalesce(sum(timeliness_checked) filter (where not is_discarded), 0)::bigint as timeliness_checked
    from judged
    group by
        ingestion_id,
        district
)

select * from counted
