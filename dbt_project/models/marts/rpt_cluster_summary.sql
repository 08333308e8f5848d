with

households as (
    select * from {{ ref('dim_households') }}
),

located as (
    select
        district || ' ' || coalesce(cluster, 'unknown') as cluster_id,
        *
    from households
),

summary as (
    select
        cluster_id,
        district,
        coalesce(cluster, 'unknown') as cluster,
        count(distinct village) as villages,
        {{ household_totals() }}
    from located
    group by
        cluster_id,
        district,
        cluster
)

select * from summary
