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
    where fingerprint is not null
),

repeated as (
    select
        fingerprint,
        count(*) as interviews
    from profiles
    group by fingerprint
    having min(household_id) <> max(household_id)
),

identical as (
    select
        'identical_interview' as metric,
        'household' as entity_type,
        profiles.household_id as entity,
        profiles.interview_date::text as period,
        null as field,
        repeated.interviews as value,
        1 as baseline,
        repeated.interviews as score,
        2 as score_limit,
        repeated.interviews as n,
        profiles.submission_id
    from profiles
    inner join repeated on profiles.fingerprint = repeated.fingerprint
),

anomalies as (
    select {{ anomaly_columns() }}
    from identical
)

select * from anomalies
