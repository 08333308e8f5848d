{#- Features follow from what a submission says: the rows of households whose submission stays are left alone. -#}
{{
    config(
        materialized='incremental',
        incremental_strategy='reconcile',
        unique_key='household_round_id',
        on_schema_change='append_new_columns',
        pre_hook='{{ forget_other_features() }}',
        post_hook='{{ create_household_features() }}',
        indexes=[
            {'columns': ['household_round_id'], 'unique': true},
            {'columns': ['submission_id'], 'unique': true},
        ],
    )
}}

with

households as (
    select * from {{ ref('fct_households') }}
    {% if is_incremental() %}
        where not exists (
            select 1
            from {{ this }} as standing
            where standing.submission_id = fct_households.submission_id
        )
    {% endif %}
),

sums as (
    select
        *,
        {{ household_sums() }}
    from households
),

features as (
    select
        -- identifiers
        household_round_id,
        household_id,
        survey_round,
        submission_id,
        district,
        cluster,
        village,

        -- target
        income_consumption_residues_per_day,
        {{ progress_status('income_consumption_residues_per_day') }} as progress_status,
        income_consumption_residues_per_day < {{ vulnerable_below() }} as is_vulnerable,

        {{ household_features() }}
    from sums
)

select * from features
