-- Which households fell back since their round before, and why may a visit be worth it?
with

households as (
    select * from {{ ref('dim_households') }}
),

fallen as (
    select
        district,
        village,
        household_id,
        last_round,
        history -> -2 ->> 'measured_status' as previous_status,
        measured_status,
        risk_category,
        top_reasons
    from households
    where progress = 'worsened'
)

select * from fallen
order by
    district asc,
    village asc,
    household_id asc
