{#- Reads nothing that a gate stops: what a closed gate keeps from the marts is what reviewers must see. Answers are
    fetched row by row: few of all submissions are here, which the planner cannot know. -#}
{{
    config(
        indexes=[
            {'columns': ['submission_id'], 'unique': true},
            {'columns': ['ingestion_id']},
        ],
    )
}}

with

judged as (
    select * from {{ ref('int_submissions_judged') }}
    where
        failed_rules <> '{}'
        or waived_rules <> '{}'
        or decision in ('release', 'correct', 'discard')
),

submissions as (
    select * from {{ ref('stg_household_survey__submissions') }}
),

decisions as (
    select * from {{ ref('stg_review__decisions') }}
    where is_latest
),

rules as (
    {{ rules_relation(['household_survey']) }}
),

told as (
    select
        judged.*,
        array(
            select unnest(judged.failed_rules || judged.waived_rules) as rule_id
            order by rule_id
        ) as broken_rules,
        submitted.answers
    from judged
    cross join lateral (
        select to_jsonb(submissions) || coalesce(submissions.unreadable_values, '{}') as answers
        from submissions
        where submissions.submission_id = judged.submission_id
        offset 0
    ) as submitted
),

reasons as (
    select
        told.submission_id,
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
    from told
    inner join rules on rules.rule_id = any(told.broken_rules)
    group by told.submission_id
),

quarantined as (
    select
        told.submission_id,
        told.ingestion_id,
        told.household_id,
        told.survey_round,
        told.district,
        told.village,
        case
            when told.corrected_by is not null then 'corrected'
            when told.decision = 'discard' then 'discarded'
            when told.failed_rules = '{}' then 'released'
            else 'open'
        end as status,
        told.broken_rules as failed_rules,
        coalesce(reasons.reasons, '[]') as reasons,
        told.corrected_by,
        coalesce(batch_decisions.decided_by, own_decisions.decided_by) as decided_by,
        coalesce(batch_decisions.reason, own_decisions.reason) as decision_reason,
        told.row_number,
        told.received_at,
        coalesce(batch_decisions.decided_at, own_decisions.decided_at) as decided_at
    from told
    left join reasons on told.submission_id = reasons.submission_id
    left join decisions as own_decisions on told.submission_id = own_decisions.submission_id
    left join decisions as batch_decisions
        on
            told.ingestion_id = batch_decisions.ingestion_id
            and batch_decisions.decision = 'discard'
            and (own_decisions.decision_id is null or own_decisions.decision_id < batch_decisions.decision_id)
)

select * from quarantined
