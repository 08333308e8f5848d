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

reports as (
    select * from {{ ref('int_village_reports_judged') }}
    where failed_rules <> '{}' or flagged_rules <> '{}'
),

broken as (
    select
        'household_survey' as form,
        unnest(failed_rules || waived_rules || flagged_rules) as rule_id
    from outcomes
    union all
    select
        'quarterly_report' as form,
        unnest(failed_rules || flagged_rules) as rule_id
    from reports
),

counted as (
    select
        form,
        rule_id,
        count(*) as broken_submissions
    from broken
    group by
        form,
        rule_id
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
