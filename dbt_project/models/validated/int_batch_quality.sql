{{ config(indexes=[{'columns': ['ingestion_id'], 'unique': true}]) }}

{%- set dimensions = ['completeness', 'validity', 'uniqueness', 'consistency', 'timeliness'] %}
{%- set gates = var('gates') %}

with

districts as (
    select * from {{ ref('int_batch_district_quality') }}
),

decisions as (
    select * from {{ ref('stg_review__decisions') }}
    where is_latest
),

batches as (
    select
        ingestion_id,
        {% for dimension in dimensions %}
            sum({{ dimension }}_passed)::bigint as {{ dimension }}_passed,
            sum({{ dimension }}_checked)::bigint as {{ dimension }}_checked,
        {% endfor %}
        sum(submissions)::bigint as submissions,
        sum(rejected_submissions)::bigint as rejected_submissions,
        sum(flagged_submissions)::bigint as flagged_submissions
    from districts
    group by ingestion_id
),

gated as (
    select
        batches.ingestion_id,
        case
            when
                (
                    batches.rejected_submissions >= {{ gates.batch_minimum_rejected }}
                    and 100 * batches.rejected_submissions > {{ gates.batch_rejected_percent }} * batches.submissions
                )
                {% for dimension in dimensions %}
                    or (
                        batches.{{ dimension }}_checked >= {{ gates.minimum_submissions }}
                        and 100 * batches.{{ dimension }}_passed
                        < {{ gates.batch_dimension_percent }} * batches.{{ dimension }}_checked
                    )
                {% endfor %}
                then case when decisions.decision = 'release' then 'released' else 'held' end
            else 'passed'
        end as gate_status,
        {% for dimension in dimensions %}
            batches.{{ dimension }}_passed,
            batches.{{ dimension }}_checked,
        {% endfor %}
        batches.submissions,
        batches.rejected_submissions,
        batches.flagged_submissions
    from batches
    left join decisions on batches.ingestion_id = decisions.ingestion_id
)

select * from gated
