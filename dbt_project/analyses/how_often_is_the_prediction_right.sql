-- Where the income was measured too: how often is the screening prediction right, whom does it miss?
-- These households taught the model as well, so this looks better than it will be for new ones.
with

risk as (
    select * from {{ ref('fct_household_risk') }}
    where is_measured_vulnerable is not null and is_predicted_vulnerable is not null
),

counted as (
    select
        district,
        count(*) as households,
        count(*) filter (where is_predicted_vulnerable = is_measured_vulnerable) as households_right,
        count(*) filter (where is_measured_vulnerable) as households_vulnerable,
        count(*) filter (where is_measured_vulnerable and is_predicted_vulnerable) as households_found,
        count(*) filter (where is_predicted_vulnerable) as households_named
    from risk
    group by district
),

shares as (
    select
        district,
        households,
        {{ percentage('households_right', 'households') }} as right_percent,
        {{ percentage('households_found', 'households_vulnerable') }} as vulnerable_found_percent,
        {{ percentage('households_found', 'households_named') }} as named_rightly_percent
    from counted
)

select * from shares
order by district asc
