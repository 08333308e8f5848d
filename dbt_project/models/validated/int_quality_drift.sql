{%- set limits = statistics_limits() %}
{{
    config(
        indexes=[
            {'columns': ['anomaly_id'], 'unique': true},
        ],
    )
}}

with

period_counts as (
    select * from {{ ref('int_quality_period_counts') }}
),

baselines as (
    select * from {{ ref('int_field_baselines') }}
),

compared as (
    select
        period_counts.district,
        period_counts.period,
        period_counts.field,
        period_counts.counted,
        period_counts.bin_counts,
        coalesce(districts.households, every.households) as baseline_counted,
        coalesce(districts.bin_counts, every.bin_counts) as baseline_counts
    from period_counts
    inner join baselines as every
        on
            period_counts.field = every.field
            and every.level = 'all'
    left join baselines as districts
        on
            period_counts.field = districts.field
            and period_counts.district = districts.entity
            and districts.level = 'district'
            and districts.households >= {{ limits.period_submissions }}
),

stability as (
    select
        compared.district,
        compared.period,
        compared.field,
        compared.counted as n,
        sum(bins.difference * ln(bins.share / bins.baseline_share)) as value,
        (count(*) - 1) * (1.0 / compared.counted + 1.0 / compared.baseline_counted) as baseline
    from compared
    cross join
        lateral (
            select
                (listed.now + 0.5) / (compared.counted + 0.5) as share,
                (listed.before + 0.5) / (compared.baseline_counted + 0.5) as baseline_share,
                (listed.now + 0.5) / (compared.counted + 0.5)
                - (listed.before + 0.5) / (compared.baseline_counted + 0.5) as difference
            from unnest(compared.bin_counts, compared.baseline_counts) as listed (now, before)
            where listed.now + listed.before > 0
        ) as bins
    group by
        compared.district,
        compared.period,
        compared.field,
        compared.counted,
        compared.baseline_counted
),

zeros as (
    select
        district,
        period,
        field,
        bin_counts[2] as zeros,
        counted - bin_counts[1] as answered,
        baseline_counts[2] as baseline_zeros,
        baseline_counted - baseline_counts[1] as baseline_answered
    from compared
    where
        field = any({{ field_names(watched_fields('quantity')) }})
        and least(counted - bin_counts[1], baseline_counted - baseline_counts[1]) >= {{ limits.group_households }}
),

measured as (
    select
        'stability_index' as metric,
        district as entity,
        period,
        field,
        value,
        baseline,
        value as score,
        greatest({{ limits.stability_index }}, {{ limits.noise_floors }} * baseline) as score_limit,
        n
    from stability
    union all
    select
        'zero_share' as metric,
        district as entity,
        period,
        field,
        zeros::numeric / answered as value,
        baseline_zeros::numeric / baseline_answered as baseline,
        {{ share_deviations('zeros', 'answered', 'baseline_zeros', 'baseline_answered') }} as score,
        {{ limits.share_deviations }} as score_limit,
        answered as n
    from zeros
),

drift as (
    select
        *,
        'district' as entity_type,
        null as submission_id
    from measured
    where
        abs(score) >= score_limit
        and (metric = 'stability_index' or abs(value - baseline) >= {{ limits.share_difference }})
),

anomalies as (
    select {{ anomaly_columns() }}
    from drift
)

select * from anomalies
