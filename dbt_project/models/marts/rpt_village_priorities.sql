{{ config(indexes=[{'columns': ['village_id'], 'unique': true}]) }}

{#- Partners and field teams write a village's name in different letter case. -#}
with

households as (
    select * from {{ ref('dim_households') }}
    where village is not null
),

features as (
    select * from {{ ref('fct_household_features') }}
),

reports as (
    select * from {{ ref('int_village_reports') }}
),

villages as (
    select
        {{ joined_key(['households.district', 'households.village']) }} as village_id,
        households.district,
        min(households.cluster) as cluster,
        households.village,
        count(*) as households,
        sum(households.household_size) as people,
        round(sum(households.vulnerability_probability::numeric), 1) as expected_vulnerable_households,
        count(*) filter (where households.risk_category = 'critical') as households_critical,
        round(avg(features.minutes_to_water::numeric), 1) as mean_minutes_to_water
    from households
    inner join features on households.household_round_id = features.household_round_id
    group by
        households.district,
        households.village
),

visits as (
    select
        lower(district) as district,
        lower(village) as village,
        max(households_in_village) as households_in_village,
        max(households_visited) as households_visited,
        max(report_year || ' Q' || report_quarter) filter (where households_visited > 0) as last_visited_quarter
    from reports
    group by
        lower(district),
        lower(village)
),

compared as (
    select
        villages.*,
        visits.last_visited_quarter,
        greatest(
            greatest(villages.households, visits.households_in_village) - coalesce(visits.households_visited, 0),
            0
        ) as households_unvisited,
        {{ percentage('villages.households_critical', 'villages.households') }} as critical_percent
    from villages
    left join visits
        on
            lower(villages.district) = visits.district
            and lower(villages.village) = visits.village
),

priorities as (
    select
        village_id,
        district,
        cluster,
        village,
        last_visited_quarter,
        row_number() over (
            partition by district
            order by
                expected_vulnerable_households desc nulls last,
                critical_percent desc,
                households_unvisited desc,
                mean_minutes_to_water desc nulls last,
                village asc
        ) as priority_rank,
        households,
        people,
        expected_vulnerable_households,
        households_critical,
        critical_percent,
        mean_minutes_to_water,
        households_unvisited,
        last_visited_quarter is not null as is_visited_by_partner
    from compared
)

select * from priorities
