{{
    config(
        indexes=[
            {'columns': ['submission_id'], 'unique': true},
            {'columns': ['ingestion_id']},
        ],
    )
}}

with

reports as (
    select * from {{ ref('int_village_reports_judged') }}
    where outcome = 'quarantined'
),

rules as (
    {{ rules_relation(['quarterly_report']) }}
),

told as (
    select
        *,
        to_jsonb(reports) || unreadable_values as answers
    from reports
),

quarantined as (
    select
        told.submission_id,
        told.ingestion_id,
        told.partner,
        told.district,
        told.village,
        told.failed_rules,
        reasons.reasons,
        told.row_number,
        told.report_year,
        told.report_quarter,
        told.received_at
    from told
    cross join lateral (
        select
            jsonb_agg(
                jsonb_build_object(
                    'rule', rules.rule_id,
                    'dimension', rules.dimension,
                    'columns', rules.field_names,
                    'values', (
                        select jsonb_object_agg(fields.name, told.answers -> fields.name)
                        from unnest(rules.field_names) as fields (name)
                    ),
                    'message', rules.message
                )
                order by rules.rule_id
            ) as reasons
        from rules
        where rules.rule_id = any(told.failed_rules)
    ) as reasons
)

select * from quarantined
