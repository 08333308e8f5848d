{{ config(indexes=[{'columns': ['ingestion_id'], 'unique': true}]) }}

with

outcomes as (
    select * from {{ ref('int_submission_outcomes') }}
),

reports as (
    select * from {{ ref('int_village_reports_judged') }}
),

risk as (
    select * from {{ ref('fct_household_risk') }}
),

submissions as (
    select
        outcomes.ingestion_id,
        'household_survey' as form,
        outcomes.outcome,
        risk.vulnerability_probability,
        risk.is_predicted_vulnerable
    from outcomes
    left join risk on outcomes.submission_id = risk.submission_id
    union all
    select
        ingestion_id,
        'quarterly_report' as form,
        outcome,
        null as vulnerability_probability,
        null as is_predicted_vulnerable
    from reports
),

ingestions as (
    select
        ingestion_id,
        form,
        count(*) as staged_submissions,
        count(*) filter (where outcome = 'released') as released_submissions,
        count(*) filter (where outcome = 'superseded') as superseded_submissions,
        count(*) filter (where outcome = 'held') as held_submissions,
        count(*) filter (where outcome = 'quarantined') as quarantined_submissions,
        count(vulnerability_probability) as predicted_households,
        count(*) filter (where is_predicted_vulnerable) as vulnerable_households
    from submissions
    group by
        ingestion_id,
        form
)

select * from ingestions
