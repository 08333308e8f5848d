{#- A day on which too few arrived to judge is judged together with the other such days of its month. -#}
{%- set limits = statistics_limits() %}
{{
    config(
        indexes=[
            {'columns': ['period_count_id'], 'unique': true},
        ],
    )
}}

with

field_counts as (
    select * from {{ ref('int_quality_field_counts') }}
),

bins as (
    select
        field_counts.district,
        field_counts.field,
        case
            when field_counts.counted >= {{ limits.period_submissions }} then field_counts.received_date::text
            else to_char(field_counts.received_date, 'YYYY-MM')
        end as period,
        listed.place,
        sum(listed.bin_count)::bigint as bin_count
    from field_counts
    cross join lateral unnest(field_counts.bin_counts) with ordinality as listed (bin_count, place)
    group by
        1,
        2,
        3,
        4
),

period_counts as (
    select
        district || ' ' || period || ' ' || field as period_count_id,
        district,
        field,
        period,
        sum(bin_count)::bigint as counted,
        array_agg(bin_count order by place) as bin_counts
    from bins
    group by
        district,
        period,
        field
    having sum(bin_count) >= {{ limits.period_submissions }}
)

select * from period_counts
