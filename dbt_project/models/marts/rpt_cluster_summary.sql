{#- Villages are counted by themselves: a distinct count beside the totals would sort every household. -#}
{{ config(indexes=[{'columns': ['cluster_id'], 'unique': true}]) }}

with

households as not materialized (
    select * from {{ ref('dim_households') }}
),

villages as (
    select distinct
        district,
        coalesce(cluster, 'unknown') as cluster,
        village
    from households
),

villages_counted as (
    select
        district,
        cluster,
        count(village) as villages
    from villages
    group by
        district,
        cluster
),

totals as (
    select
        district,
        coalesce(cluster, 'unknown') as cluster,
        {{ household_totals() }}
    from households
    group by
        district,
        coalesce(cluster, 'unknown')
),

summary as (
    select
        {{ joined_key(['totals.district', 'totals.cluster']) }} as cluster_id,
        totals.district,
        totals.cluster,
        villages_counted.villages,
        totals.households,
        totals.people,
        totals.households_scored,
        totals.households_predicted_vulnerable,
        totals.expected_vulnerable_households,
        totals.mean_vulnerability_probability,
        totals.households_critical,
        totals.households_high,
        totals.households_medium,
        totals.households_low,
        totals.households_measured,
        totals.households_measured_vulnerable,
        totals.mean_income_usd_per_day,
        totals.mean_income_ugx_per_day
    from totals
    inner join villages_counted
        on
            totals.district = villages_counted.district
            and totals.cluster = villages_counted.cluster
)

select * from summary
