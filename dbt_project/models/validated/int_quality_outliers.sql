{%- set limits = statistics_limits() %}
{%- set quantities = watched_fields('quantity') %}
{{
    config(
        indexes=[
            {'columns': ['anomaly_id'], 'unique': true},
        ],
    )
}}

with

profiles as (
    select * from {{ ref('int_quality_profiles') }}
    where outlying_fields <> '{}'
),

households as (
    select * from {{ ref('fct_households') }}
),

baselines as (
    select * from {{ ref('int_field_baselines') }}
),

answers as (
    select
        households.submission_id,
        households.survey_round,
        profiles.place,
        listed.field,
        listed.answer,
        profiles.outlying_fields
    from profiles
    inner join households on profiles.submission_id = households.submission_id
    cross join lateral unnest(
        {{ field_names(quantities) }},
        {{ answers_as_numbers(quantities) }}
    ) as listed (field, answer)
),

scored as (
    select
        'outlier' as metric,
        baselines.level as entity_type,
        baselines.entity,
        answers.survey_round as period,
        answers.field,
        answers.answer as value,
        exp(baselines.median_logarithm) as baseline,
        (ln(answers.answer) - baselines.median_logarithm) / baselines.spread_logarithm as score,
        case
            when answers.answer > baselines.upper_bound then {{ limits.spreads_above }}
            else {{ limits.spreads_below }}
        end as score_limit,
        baselines.households as n,
        answers.submission_id
    from answers
    inner join baselines
        on
            answers.place = baselines.entity
            and answers.field = baselines.field
    where answers.field = any(answers.outlying_fields)
),

anomalies as (
    select {{ anomaly_columns() }}
    from scored
)

select * from anomalies
