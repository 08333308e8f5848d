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
        predicted_status,
        risk_category,
        verdict,
        feature_set_version,
        reasons as prediction_reasons,
        policy_version,
        missing_features,
        probability,
        probability_below_125,
        probability_below_215,
        confidence,
        threshold,
        prediction = 1 as is_vulnerable,
        is_training_row,
        newest_received_at,
        scored_at
    from predictions
)

select * from renamed
