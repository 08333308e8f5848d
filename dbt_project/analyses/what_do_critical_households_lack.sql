-- What do households of critical risk lack, beside those of low risk? Shares are of the households that answered.
with

households as (
    select * from {{ ref('dim_households') }}
    where risk_category in ('low', 'critical')
),

features as (
    select * from {{ ref('fct_household_features') }}
),

described as (
    select
        features.*,
        households.risk_category
    from households
    inner join features on households.household_round_id = features.household_round_id
),

answers as (
    select
        described.risk_category,
        hardships.reason,
        hardships.is_borne
    from described
    cross join lateral (
        values
        {% for hardship in hardships() %}
            ('{{ hardship.words }}', {{ hardship.condition }}){{ ',' if not loop.last }}
        {% endfor %}
    ) as hardships (reason, is_borne)
),

counted as (
    select
        reason,
        count(*) filter (where is_borne and risk_category = 'critical') as households_critical,
        count(is_borne) filter (where risk_category = 'critical') as answers_critical,
        count(*) filter (where is_borne and risk_category = 'low') as households_low,
        count(is_borne) filter (where risk_category = 'low') as answers_low
    from answers
    group by reason
),

shares as (
    select
        reason,
        households_critical,
        {{ percentage('households_critical', 'answers_critical') }} as critical_percent,
        {{ percentage('households_low', 'answers_low') }} as low_percent
    from counted
)

select * from shares
order by
    households_critical desc,
    reason asc
