{#- A view: it adds to the evaluated rows what few rows have. Of a decision on a submission and one on its whole batch
    the later counts. -#}
{{ config(materialized='view') }}

with

evaluated as (
    select * from {{ ref('int_submissions_evaluated') }}
),

collisions as (
    select * from {{ ref('int_identifier_collisions') }}
),

corrected as (
    select * from {{ ref('int_corrected_submissions') }}
),

decisions as (
    select * from {{ ref('stg_review__decisions') }}
    where is_latest
),

withdrawn as (
    select * from {{ ref('int_withdrawn_consents') }}
),

stated as (
    select
        evaluated.*,
        collisions.submission_id is not null and collisions.restated_at is null as is_identifier_contested,
        withdrawn.household_id is not null as is_consent_withdrawn,
        coalesce(collisions.restated_at, evaluated.received_at) as stated_at,
        corrected.corrected_by,
        coalesce(batch_decisions.decision, own_decisions.decision) as decision,
        case
            -- Nobody but the household can take its refusal back, whatever stands among the decisions.
            when own_decisions.decision = 'release' and batch_decisions.decision is null
                then array_remove(array_remove(own_decisions.rules, 'consent_refused'), 'consent_withdrawn')
            else '{}'
        end as released_rules
    from evaluated
    left join collisions on evaluated.submission_id = collisions.submission_id
    left join corrected on evaluated.submission_id = corrected.submission_id
    left join withdrawn on evaluated.household_id = withdrawn.household_id
    left join decisions as own_decisions on evaluated.submission_id = own_decisions.submission_id
    left join decisions as batch_decisions
        on
            evaluated.ingestion_id = batch_decisions.ingestion_id
            and batch_decisions.decision = 'discard'
            and (own_decisions.decision_id is null or own_decisions.decision_id < batch_decisions.decision_id)
),

broken as (
    select
        stated.*,
        stated.failed_rules
        || case when stated.is_identifier_contested then array['identifier_collision'] else '{}' end
        || case
            when stated.is_consent_withdrawn and 'consent_refused' <> all(stated.failed_rules)
                then array['consent_withdrawn']
            else '{}'
        end as broken_rules
    from stated
),

judged as (
    select
        submission_id,
        ingestion_id,
        row_number,
        household_id,
        survey_round,
        district,
        cluster,
        village,
        enumerator_id,
        device_id,
        case
            when released_rules = '{}' or broken_rules = '{}' then broken_rules
            else array(
                select unnest(broken_rules) as rule_id
                except
                select unnest(released_rules) as rule_id
                order by rule_id
            )
        end as failed_rules,
        case
            when released_rules = '{}' or broken_rules = '{}' then '{}'
            else array(
                select unnest(broken_rules) as rule_id
                intersect
                select unnest(released_rules) as rule_id
                order by rule_id
            )
        end as waived_rules,
        flagged_rules,
        corrected_by,
        decision,
        completeness_passed,
        completeness_checked,
        validity_passed,
        validity_checked,
        consistency_passed,
        consistency_checked,
        timeliness_passed,
        timeliness_checked,
        is_identifier_contested,
        survey_date,
        stated_at,
        received_at
    from broken
)

select * from judged
