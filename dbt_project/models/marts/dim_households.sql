{#- Households of which nothing changed are left alone; all that the history tells of the latest round stands in columns
    too, which cost less to compare. What is read twice is not written down in between, see fct_household_risk. -#}
{%- set latest_columns = [
    'household_round_id', 'submission_id', 'district', 'cluster',
    'village', 'head_sex', 'measured_status', 'progress',
    'risk_category', 'top_reasons', 'household_size', 'measured_income_usd_per_day',
    'measured_income_ugx_per_day', 'vulnerability_probability', 'is_measured_vulnerable', 'is_predicted_vulnerable',
    'survey_date', 'received_at',
] %}
{{
    config(
        materialized='incremental',
        incremental_strategy='reconcile',
        unique_key='household_id',
        on_schema_change='append_new_columns',
        indexes=[
            {'columns': ['household_id'], 'unique': true},
            {'columns': ['district', 'village']},
        ],
    )
}}

with

risk as not materialized (
    select * from {{ ref('fct_household_risk') }}
),

told as not materialized (
    select
        *,
        {{ round_in_history() }} as round_in_history
    from risk
),

{% if is_incremental() %}
    standing as not materialized (
        select * from {{ this }}
    ),

    changed as (
        select told.household_id
        from told
        left join standing
            on
                told.household_id = standing.household_id
                and case
                    when not told.is_latest_round
                        then standing.history @> jsonb_build_array(told.round_in_history)
                    else
                        told.survey_round = standing.last_round
                        and (
                            {% for name in latest_columns %}
                                told.{{ name }}{{ ',' if not loop.last }}
                            {% endfor %}
                        ) is not distinct from (
                            {% for name in latest_columns %}
                                standing.{{ name }}{{ ',' if not loop.last }}
                            {% endfor %}
                        )
                end
        where standing.household_id is null
        union
        select standing.household_id
        from standing
        left join risk on standing.household_id = risk.household_id
        group by
            standing.household_id,
            standing.rounds_surveyed
        having count(risk.household_id) <> standing.rounds_surveyed
    ),

{% endif %}
current_rounds as not materialized (
    select * from told
    {% if is_incremental() %}
        where household_id in (select changed.household_id from changed)
    {% endif %}
),

earlier as (
    select
        household_id,
        (array_agg(survey_round order by {{ round_order('survey_round') }}))[1] as first_round,
        jsonb_agg(round_in_history order by {{ round_order('survey_round') }}) as history,
        count(*) as rounds_surveyed
    from current_rounds
    where not is_latest_round
    group by household_id
),

latest as (
    select * from current_rounds
    where is_latest_round
),

households as (
    select
        latest.household_id,
        latest.household_round_id,
        latest.submission_id,
        latest.district,
        latest.cluster,
        latest.village,
        coalesce(earlier.first_round, latest.survey_round) as first_round,
        latest.survey_round as last_round,
        latest.head_sex,
        latest.measured_status,
        latest.progress,
        latest.risk_category,
        latest.top_reasons,
        coalesce(earlier.history, '[]') || latest.round_in_history as history,
        latest.household_size,
        coalesce(earlier.rounds_surveyed, 0) + 1 as rounds_surveyed,
        latest.measured_income_usd_per_day,
        latest.measured_income_ugx_per_day,
        latest.vulnerability_probability,
        latest.is_measured_vulnerable,
        latest.is_predicted_vulnerable,
        latest.survey_date,
        latest.received_at
    from latest
    left join earlier on latest.household_id = earlier.household_id
)

select * from households
