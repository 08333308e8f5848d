-- How much income is missing for every measured household below 1.77 USD a day to reach it, in a year?
with

households as (
    select * from {{ ref('dim_households') }}
    where is_measured_vulnerable
),

gaps as (
    select
        district,
        count(*) as households,
        sum(({{ vulnerable_below() }} - measured_income_usd_per_day)::numeric * 365) as gap
    from households
    group by district
),

priced as (
    select
        district,
        households,
        round(gap, 2) as gap_usd_per_year,
        {{ usd_to_ugx('gap') }} as gap_ugx_per_year,
        round(gap / households, 2) as mean_gap_usd_per_year
    from gaps
)

select * from priced
order by gap_usd_per_year desc
