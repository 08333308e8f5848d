{{ config(indexes=[{'columns': ['ingestion_id'], 'unique': true}]) }}

with

outcomes as (
    select * from {{ ref('int_submission_outcomes') }}
),

risk as (
    select * from {{ ref('fct_household_risk') }}
),

submissions as (
    select
        outcomes.ingestion_id,
        count(*) as staged_submissions,
        count(*) filter (where outcomes.outcome = 'released') as released_submissions,
        count(*) filter (where outcomes.outcome = 'superseded') as superseded_submissions,
        count(*) filter (where outcomes.outcome = 'held') as held_submissions,
        count(*) filter (where outcomes.outcome = 'quarantined') as quarantined_submissions,
        count(risk.vulnerability_probability) as predicted_households,
        count(*) filter (where risk.is_predicted_vulnerable) as vulnerable_households
    from outcomes
    left join risk on outcomes.submission_id = risk.submission_id
    group by outcomes.ingestion_id
)

select * from submissions
