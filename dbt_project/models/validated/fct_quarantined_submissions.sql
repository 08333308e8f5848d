{{
    config(
        indexes=[
            {'columns': ['submission_id'], 'unique': true},
            {'columns': ['ingestion_id']},
        ],
    )
}}

with

evaluated as (
    select * from {{ ref('int_submissions_evaluated') }}
),

rules as (
    {{ rules_relation(household_survey_rules()) }}
),

quarantined as (
    select
        evaluated.submission_id,
        evaluated.ingestion_id,
        evaluated.row_number,
        evaluated.household_id,
        evaluated.survey_round,
        evaluated.district,
        evaluated.village,
        evaluated.failed_rules,
        jsonb_agg(
            jsonb_build_object(
                'rule', rules.rule_id,
                'dimension', rules.dimension,
                'columns', rules.field_names,
                'message', rules.message
            )
            order by rules.rule_id
        ) as reasons,
        evaluated.received_at
    from evaluated
    inner join rules on rules.rule_id = any(evaluated.failed_rules)
    where evaluated.corrected_by is null
    group by
        evaluated.submission_id,
        evaluated.ingestion_id,
        evaluated.row_number,
        evaluated.household_id,
        evaluated.survey_round,
        evaluated.district,
        evaluated.village,
        evaluated.failed_rules,
        evaluated.received_at
)

select * from quarantined
