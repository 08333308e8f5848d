{{
    config(
        indexes=[
            {'columns': ['quality_rule_id'], 'unique': true},
        ],
    )
}}

{%- set forms = ['household_survey', 'quarterly_report'] %}

with

outcomes as (
    select * from {{ ref('int_submission_outcomes') }}
    where failed_rules <> '{}' or waived_rules <> '{}' or flagged_rules <> '{}'
),

broken as (
    select unnest(failed_rules || waived_rules || flagged_rules) as rule_id
    from outcomes
),

counted as (
    select
        'household_survey' as form,
        rule_id,
        count(*) as broken_submissions
    from broken
    group by rule_id
),

listed as (
    {{ rules_relation(forms) }}
),

rules as (
    select
        listed.form || '.' || listed.rule_id as quality_rule_id,
        listed.rule_id,
        listed.form,
        listed.dimension,
        listed.severity,
        listed.stage,
        listed.field_names,
        listed.condition,
        listed.predicate,
        listed.message,
        coalesce(counted.broken_submissions, 0) as broken_submissions
    from listed
    left join counted
        on
            listed.form = counted.form
            and listed.rule_id = counted.rule_id
)

select * from rules
