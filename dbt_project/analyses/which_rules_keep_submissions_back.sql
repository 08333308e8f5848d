-- Which rules keep most submissions back, and for how long have these waited?
with

quarantined as (
    select * from {{ ref('fct_quarantined_submissions') }}
    where status = 'open'
),

broken as (
    select
        reasons.reason ->> 'rule' as rule_id,
        reasons.reason ->> 'message' as message,
        quarantined.district,
        quarantined.age_days
    from quarantined
    cross join lateral jsonb_array_elements(quarantined.reasons) as reasons (reason)
),

counted as (
    select
        rule_id,
        message,
        count(*) as submissions,
        count(distinct district) as districts,
        max(age_days) as oldest_days
    from broken
    group by
        rule_id,
        message
)

select * from counted
order by
    submissions desc,
    rule_id asc
