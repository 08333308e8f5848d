-- How many households are vulnerable in each district, as measured and as predicted, and what share is that?
with

districts as (
    select * from {{ ref('rpt_district_summary') }}
),

shares as (
    select
        district,
        households,
        households_measured_vulnerable,
        {{ percentage('households_measured_vulnerable', 'households_measured') }} as measured_vulnerable_percent,
        households_predicted_vulnerable,
        {{ percentage('households_predicted_vulnerable', 'households_scored') }} as predicted_vulnerable_percent,
        expected_vulnerable_households,
        mean_income_usd_per_day,
        mean_income_ugx_per_day
    from districts
    where households > 0
)

select * from shares
order by predicted_vulnerable_percent desc nulls last
