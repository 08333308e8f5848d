{#- A day is held against the same weekday of the weeks before it, never against itself. The newest day is not
    over yet: it can be too full, but not too empty. -#}
{%- set limits = statistics_limits() %}
{%- set least_deviation = 2 %}
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
),

counted as (
    select
        'all' as entity_type,
        'all' as entity,
        received_date as counted_date,
        count(*) as submissions
    from profiles
    group by received_date
    union all
    select
        'device' as entity_type,
        device_id as entity,
        received_date as counted_date,
        count(*) as submissions
    from profiles
    where device_id is not null
    group by
        device_id,
        received_date
    union all
    select
        'enumerator' as entity_type,
        enumerator_id as entity,
        interview_date as counted_date,
        count(*) as submissions
    from profiles
    where enumerator_id is not null
    group by
        enumerator_id,
        interview_date
),

spans as (
    select
        entity_type,
        entity,
        min(counted_date) as first_date,
        max(max(counted_date)) over (partition by entity_type) as last_date
    from counted
    group by
        entity_type,
        entity
),

days as (
    select
        spans.entity_type,
        spans.entity,
        spine.day::date as counted_date,
        spine.day::date = spans.last_date as is_newest,
        coalesce(counted.submissions, 0) as submissions
    from spans
    cross join lateral generate_series(spans.first_date, spans.last_date, interval '1 day') as spine (day)
    left join counted
        on
            spans.entity_type = counted.entity_type
            and spans.entity = counted.entity
            and spine.day::date = counted.counted_date
),

remembered as (
    select
        *,
        array_agg(submissions) over earlier_weeks as earlier,
        min(submissions) over earlier_weeks as fewest,
        max(submissions) over earlier_weeks as most
    from days
    window earlier_weeks as (
        partition by entity_type, entity, extract(isodow from counted_date)
        order by counted_date
        rows between {{ limits.volume_weeks }} preceding and 1 preceding
    )
),

medians as (
    select
        remembered.*,
        (
            select percentile_cont(0.5) within group (order by listed.submissions)
            from unnest(remembered.earlier) as listed (submissions)
        ) as median
    from remembered
    where
        cardinality(remembered.earlier) >= {{ limits.volume_weeks_known }}
        and greatest(remembered.submissions - remembered.fewest, remembered.most - remembered.submissions)
        >= {{ limits.volume_deviations }} * {{ least_deviation }}
),

scored as (
    select
        medians.entity_type,
        medians.entity,
        medians.counted_date,
        medians.is_newest,
        medians.submissions,
        medians.median,
        (medians.submissions - medians.median)
        / greatest(
            (
                select 1.4826 * percentile_cont(0.5) within group (order by abs(listed.submissions - medians.median))
                from unnest(medians.earlier) as listed (submissions)
            ),
            sqrt(medians.median),
            {{ least_deviation }}
        ) as score
    from medians
),

unusual as (
    select
        'daily_volume' as metric,
        entity_type,
        entity,
        counted_date::text as period,
        submissions as value,
        median as baseline,
        score,
        {{ limits.volume_deviations }} as score_limit,
        submissions as n
    from scored
    where
        score >= {{ limits.volume_deviations }}
        or (score <= -{{ limits.volume_deviations }} and not is_newest)
    union all
    select
        'interviews_a_day' as metric,
        entity_type,
        entity,
        counted_date::text as period,
        submissions as value,
        {{ limits.interviews_a_day }} as baseline,
        submissions as score,
        {{ limits.interviews_a_day }} as score_limit,
        submissions as n
    from counted
    where entity_type = 'enumerator' and submissions > {{ limits.interviews_a_day }}
),

labelled as (
    select
        *,
        null as field,
        null as submission_id
    from unusual
),

anomalies as (
    select {{ anomaly_columns() }}
    from labelled
)

select * from anomalies
