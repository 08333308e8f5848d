{#- To a kilometre, and only of villages with several homes that were located: a mark on the map is nobody's home. -#}
{{ config(indexes=[{'columns': ['village_id'], 'unique': true}]) }}

with

households as (
    select * from {{ ref('fct_households') }}
    where
        village is not null
        and num_nulls(latitude, longitude) = 0
),

priorities as (
    select * from {{ ref('rpt_village_priorities') }}
),

villages as (
    select
        {{ joined_key(['district', 'village']) }} as village_id,
        round(avg(latitude::numeric), 2)::double precision as village_latitude,
        round(avg(longitude::numeric), 2)::double precision as village_longitude,
        count(distinct household_id) as households_located
    from households
    group by
        district,
        village
    having count(distinct household_id) >= 5
),

locations as (
    select
        priorities.village_id,
        priorities.district,
        priorities.village,
        villages.village_latitude,
        villages.village_longitude,
        villages.households_located
    from priorities
    inner join villages on priorities.village_id = villages.village_id
)

select * from locations
