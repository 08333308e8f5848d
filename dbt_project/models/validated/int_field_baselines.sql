{#- Frozen: it is built once; neither a later build nor a full refresh moves it. `freeze_baselines` takes it anew. -#}
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

sample_sizes as (
    select count(*) as households
    from sampled
),

reference as (
    select households.*
    from households
    inner join sampled on households.submission_id = sampled.submission_id
    cross join sample_sizes
    where sample_sizes.households >= {{ limits.reference_households }}
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
    where district <> 'all'
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
        entities.entity,
        listed.field,
        listed.answer
    from reference
    cross join
        lateral unnest(
            array['all', nullif(reference.district, 'all'), {{ cluster_entity('reference') }}]
        ) as member (entity)
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
    where entity = 'all' and answer > 0
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

binned as (
    select
        answers.entity,
        answers.field,
        {{ answer_bin('answers.answer', "coalesce(edges.bin_edges, '{}')") }} as bin,
        count(*) as bin_count
    from answers
    left join edges on answers.field = edges.field
    group by
        1,
        2,
        3
),

counted as (
    select
        entity,
        field,
        {{ bins_in_order() }} as bin_counts,
        sum(bin_count)::bigint as households
    from binned
    group by
        entity,
        field
),

medians as (
    select
        entity,
        field,
        count(*) as positives,
        percentile_cont(0.5) within group (order by ln(answer)) as median_logarithm
    from answers
    where answer > 0 and field = any({{ field_names(watched_fields('quantity')) }})
    group by
        entity,
        field
),

spreads as (
    select
        medians.entity,
        medians.field,
        1.4826 * percentile_cont(0.5) within group (
            order by abs(ln(answers.answer) - medians.median_logarithm)
        ) as spread_logarithm
    from medians
    inner join answers
        on
            medians.entity = answers.entity
            and medians.field = answers.field
    where answers.answer > 0 and medians.positives >= {{ limits.group_households }}
    group by
        medians.entity,
        medians.field
),

described as (
    select
        entities.level,
        entities.district,
        counted.*,
        case
            when spreads.spread_logarithm > 0 then array[medians.median_logarithm, spreads.spread_logarithm]
        end as own_logarithms
    from counted
    inner join entities on counted.entity = entities.entity
    left join medians
        on
            counted.entity = medians.entity
            and counted.field = medians.field
    left join spreads
        on
            counted.entity = spreads.entity
            and counted.field = spreads.field
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
