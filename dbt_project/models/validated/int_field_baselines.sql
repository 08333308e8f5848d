{#- Frozen: it is built once, and neither a later build nor a full refresh moves it. `freeze_baselines` takes it anew. -#}
{%- set limits = statistics_limits() %}
{%- set fields = watched_fields() %}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        full_refresh=var('freeze_baselines', false),
        on_schema_change='append_new_columns',
        indexes=[
            {'columns': ['baseline_id'], 'unique': true},
        ],
    )
}}

with

households as not materialized (
    select * from {{ ref('fct_households') }}
    {% if is_incremental() %}
        where not exists (select 1 from {{ this }})
    {% endif %}
),

sampled as (
    select submission_id
    from households
    order by md5(submission_id)
    limit {{ limits.reference_sample }}
),

reference as (
    select households.*
    from households
    inner join sampled on households.submission_id = sampled.submission_id
    where (select count(*) from sampled) >= {{ limits.reference_households }}
),

entities as (
    select
        'all' as level,
        'all' as entity,
        null as district
    union all
    select
        'district' as level,
        district as entity,
        district
    from reference
    group by district
    having count(*) >= {{ limits.group_households }}
    union all
    select
        'cluster' as level,
        {{ cluster_entity('reference') }} as entity,
        district
    from reference
    where cluster is not null
    group by
        district,
        cluster
    having count(*) >= {{ limits.group_households }}
),

answers as (
    select
        entities.level,
        entities.entity,
        entities.district,
        listed.field,
        listed.answer
    from reference
    cross join lateral unnest(array['all', reference.district, {{ cluster_entity('reference') }}]) as member (entity)
    inner join entities on member.entity = entities.entity
    cross join lateral unnest(
        {{ field_names(fields) }},
        {{ answers_as_numbers(fields) }}
    ) as listed (field, answer)
),

common_answers as (
    select
        field,
        percentile_disc(array[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]) within group (order by answer) as deciles,
        case when count(distinct answer) <= 10 then array_agg(distinct answer) end as few_answers
    from answers
    where level = 'all' and answer > 0
    group by field
),

edges as (
    select
        field,
        array(
            select distinct listed.edge
            from unnest(coalesce(few_answers, deciles)) as listed (edge)
            order by listed.edge
        ) as bin_edges
    from common_answers
),

counted as (
    select
        answers.level,
        answers.entity,
        answers.district,
        answers.field,
        {{ count_bins(answer_bin('answers.answer', "coalesce(edges.bin_edges, '{}')")) }} as bin_counts,
        count(*) as households,
        percentile_cont(0.5) within group (order by ln(nullif(greatest(answers.answer, 0), 0))) as median_logarithm
    from answers
    left join edges on answers.field = edges.field
    group by
        answers.level,
        answers.entity,
        answers.district,
        answers.field
),

spread as (
    select
        counted.entity,
        counted.field,
        count(*) as positives,
        1.4826 * percentile_cont(0.5) within group (
            order by abs(ln(answers.answer) - counted.median_logarithm)
        ) as spread_logarithm
    from counted
    inner join answers
        on
            counted.entity = answers.entity
            and counted.field = answers.field
    where
        answers.answer > 0
        and answers.field = any({{ field_names(watched_fields('quantity')) }})
    group by
        counted.entity,
        counted.field
),

described as (
    select
        counted.*,
        case
            when spread.positives >= {{ limits.group_households }} and spread.spread_logarithm > 0
                then array[counted.median_logarithm, spread.spread_logarithm]
        end as own_logarithms
    from counted
    left join spread
        on
            counted.entity = spread.entity
            and counted.field = spread.field
),

resolved as (
    select
        described.*,
        coalesce(described.own_logarithms, district.own_logarithms, every.own_logarithms) as logarithms
    from described
    inner join described as every
        on
            described.field = every.field
            and every.level = 'all'
    left join described as district
        on
            described.field = district.field
            and described.district = district.entity
            and district.level = 'district'
),

baselines as (
    select
        resolved.entity || ' ' || resolved.field as baseline_id,
        resolved.level,
        resolved.entity,
        resolved.field,
        coalesce(edges.bin_edges, '{}') as bin_edges,
        resolved.bin_counts,
        resolved.households,
        resolved.logarithms[1] as median_logarithm,
        resolved.logarithms[2] as spread_logarithm,
        exp(resolved.logarithms[1] - {{ limits.spreads_below }} * resolved.logarithms[2]) as lower_bound,
        exp(resolved.logarithms[1] + {{ limits.spreads_above }} * resolved.logarithms[2]) as upper_bound,
        now() as frozen_at
    from resolved
    left join edges on resolved.field = edges.field
)

select * from baselines
