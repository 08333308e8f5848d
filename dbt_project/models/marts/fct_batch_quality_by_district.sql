{#- Reads the one row of the run's quality: a run that its gates stop does not come this far. -#}
{{ config(indexes=[{'columns': ['batch_district_id'], 'unique': true}]) }}

with

districts as (
    select * from {{ ref('int_batch_district_quality') }}
),

run_quality as (
    select * from {{ ref('int_run_quality') }}
),

judged as (
    select districts.*
    from districts
    cross join run_quality
),

named as (
    select
        ingestion_id || ' ' || coalesce(district, '') as batch_district_id,
        ingestion_id,
        district,
        submissions,
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
        round(100.0 * rejected_submissions / submissions, 2) as rejected_percent
    from judged
)

select * from named
