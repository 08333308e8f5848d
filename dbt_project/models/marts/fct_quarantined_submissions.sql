{{
    config(
        indexes=[
            {'columns': ['submission_id'], 'unique': true},
            {'columns': ['ingestion_id']},
            {'columns': ['status']},
        ],
    )
}}

with

quarantined as (
    select * from {{ ref('int_quarantined_submissions') }}
),

aged as (
    select
        submission_id,
        ingestion_id,
        household_id,
        survey_round,
        district,
        village,
        status,
        failed_rules,
        reasons,
        corrected_by,
        decided_by,
        decision_reason,
        row_number,
        current_date - (received_at at time zone 'utc')::date as age_days,
        received_at,
        decided_at
    from quarantined
)

select * from aged
