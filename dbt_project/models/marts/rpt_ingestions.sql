{{ config(indexes=[{'columns': ['ingestion_id'], 'unique': true}]) }}

with

evaluated as (
    select * from {{ ref('int_submissions_evaluated') }}
),

households as (
    select * from {{ ref('fct_households') }}
),

risk as (
    select * from {{ ref('fct_household_risk') }}
),

submissions as (
    select
        evaluated.ingestion_id,
        count(*) as staged_submissions,
        count(households.submission_id) as released_submissions,
        count(*) filter (
            where evaluated.failed_rules <> '{}' and evaluated.corrected_by is null
        ) as quarantined_submissions,
        count(*) filter (
            where
            (evaluated.failed_rules = '{}' or evaluated.corrected_by is not null)
            and households.submission_id is null
        ) as superseded_submissions,
        count(risk.vulnerability_probability) as predicted_households,
        count(*) filter (where risk.is_predicted_vulnerable) as vulnerable_households
    from evaluated
    left join households on evaluated.submission_id = households.submission_id
    left join risk on evaluated.submission_id = risk.submission_id
    group by evaluated.ingestion_id
)

select * from submissions
