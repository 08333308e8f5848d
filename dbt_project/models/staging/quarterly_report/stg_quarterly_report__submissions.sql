{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='append_new_columns',
        indexes=[
            {'columns': ['submission_id'], 'unique': true},
            {'columns': ['ingestion_id']},
        ],
    )
}}

{{ stage_submissions('quarterly_report') }}
