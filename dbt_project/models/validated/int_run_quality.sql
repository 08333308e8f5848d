{%- set gates = var('gates') %}
{#- One row. What no published state contains yet is new; a batch that is held by itself does not count twice. -#}
with

batches as (
    select * from {{ ref('int_batch_quality') }}
),

published as (
    select * from {{ ref('stg_publications__ingestions') }}
),

new_batches as (
    select batches.*
    from batches
    left join published on batches.ingestion_id = published.ingestion_id
    where published.ingestion_id is null
),

run as (
    select
        'new' as scope,
        count(*) as batches,
        count(*) filter (where gate_status = 'held') as held_batches,
        coalesce(sum(submissions), 0)::bigint as submissions,
        coalesce(sum(submissions) filter (where gate_status = 'held'), 0)::bigint as held_submissions,
        coalesce(sum(rejected_submissions) filter (where gate_status <> 'held'), 0)::bigint as rejected_submissions,
        coalesce(sum(completeness_passed) filter (where gate_status <> 'held'), 0)::bigint as completeness_passed,
        coalesce(sum(completeness_checked) filter (where gate_status <> 'held'), 0)::bigint as completeness_checked
    from new_batches
),

shares as (
    select
        scope,
        batches,
        held_batches,
        submissions,
        held_submissions,
        rejected_submissions,
        completeness_passed,
        completeness_checked,
        100.0 * held_submissions / nullif(submissions, 0) as held_percent,
        {{ gates.run_held_percent }} as held_limit_percent,
        case
            when rejected_submissions >= {{ gates.batch_minimum_rejected }}
                then 100.0 * rejected_submissions / nullif(submissions - held_submissions, 0)
        end as rejected_percent,
        {{ gates.run_rejected_percent }} as rejected_limit_percent,
        case
            when submissions - held_submissions >= {{ gates.minimum_submissions }}
                then 100.0 * completeness_passed / nullif(completeness_checked, 0)
        end as completeness_percent,
        {{ gates.run_completeness_percent }} as completeness_limit_percent
    from run
)

select * from shares
