-- What do households of critical risk lack, beside those of low risk?
with

households as (
    select * from {{ ref('dim_households') }}
    where risk_category in ('low', 'critical')
),

named as (
    select
        reasons.reason,
        count(*) filter (where households.risk_category = 'critical') as households_critical,
        count(*) filter (where households.risk_category = 'low') as households_low
    from households
    cross join lateral unnest(households.top_reasons) as reasons (reason)
    group by reasons.reason
),

totals as (
    select
        count(*) filter (where risk_category = 'critical') as households_critical,
        count(*) filter (where risk_category = 'low') as households_low
    from households
),

shares as (
    select
        named.reason,
        named.households_critical,
        {{ percentage('named.households_critical', 'totals.households_critical') }} as critical_percent,
        {{ percentage('named.households_low', 'totals.households_low') }} as low_percent
    from named
    cross join totals
)

select * from shares
order by
    households_critical desc,
    reason asc
