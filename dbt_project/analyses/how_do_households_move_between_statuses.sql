-- Of the households of each status, what share stood at which status in their next round?
with

transitions as (
    select * from {{ ref('rpt_progress') }}
),

counted as (
    select
        previous_round,
        survey_round,
        previous_status,
        measured_status,
        sum(households) as households
    from transitions
    group by
        previous_round,
        survey_round,
        previous_status,
        measured_status
),

shares as (
    select
        previous_round,
        survey_round,
        previous_status,
        measured_status,
        households,
        {{ percentage(
            'households', 'sum(households) over (partition by previous_round, survey_round, previous_status)'
        ) }} as households_percent
    from counted
)

select * from shares
order by
    previous_round asc,
    survey_round asc,
    previous_status asc,
    households desc
