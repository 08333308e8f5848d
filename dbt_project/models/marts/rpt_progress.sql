{{ config(indexes=[{'columns': ['transition_id'], 'unique': true}]) }}

with

risk as (
    select * from {{ ref('fct_household_risk') }}
),

changes as (
    select
        district,
        previous_round,
        survey_round,
        coalesce(previous_status, 'not_measured') as previous_status,
        coalesce(measured_status, 'not_measured') as measured_status,
        progress
    from risk
    where previous_round is not null
),

transitions as (
    select
        {{ joined_key(['district', 'previous_round', 'previous_status', 'survey_round', 'measured_status']) }}
            as transition_id,
        district,
        previous_round,
        survey_round,
        previous_status,
        measured_status,
        progress,
        count(*) as households
    from changes
    group by
        district,
        previous_round,
        survey_round,
        previous_status,
        measured_status,
        progress
)

select * from transitions
