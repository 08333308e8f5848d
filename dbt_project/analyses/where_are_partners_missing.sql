-- Which villages with vulnerable households has no partner visited?
with

priorities as (
    select * from {{ ref('rpt_village_priorities') }}
),

missing as (
    select
        district,
        village,
        households,
        expected_vulnerable_households,
        mean_minutes_to_water
    from priorities
    where
        not is_visited_by_partner
        and expected_vulnerable_households >= 1
)

select * from missing
order by
    expected_vulnerable_households desc,
    district asc,
    village asc
