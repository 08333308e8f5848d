{{ config(materialized='view') }}

with

predictions as (
    select * from {{ source('ml', 'current_predictions') }}
),

renamed as (
    select
        prediction_id,
        household_id,
        survey_round,
        submission_id,
        track,
        model_name,
        model_version,
        run_id,
        risk_category,
        probability,
        confidence,
        prediction = 1 as is_vulnerable,
        scored_at
    from predictions
)

select * from renamed
