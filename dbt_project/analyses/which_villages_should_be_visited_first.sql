-- Which villages should be visited first? The first five of each district.
with

priorities as (
    select * from {{ ref('rpt_village_priorities') }}
),

first_villages as (
    select
        district,
        priority_rank,
        village,
        cluster,
        households,
        expected_vulnerable_households,
        critical_percent,
        households_unvisited,
        last_visited_quarter
    from priorities
    where priority_rank <= 5
)

select * from first_villages
order by
    district asc,
    priority_rank asc
