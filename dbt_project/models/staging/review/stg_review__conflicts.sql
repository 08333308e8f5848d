{#- Of a submission that came again with other answers, what says whether its household consents. -#}
{{ config(materialized='view') }}

{%- set names = ['household_id', 'survey_date', 'consent'] %}
{%- set fields = contract_fields('household_survey') | selectattr('name', 'in', names) | list %}

with

conflicts as (
    select * from {{ source('review', 'conflicts') }}
),

ingestions as (
    select * from {{ ref('stg_ledger__ingestions') }}
),

cleaned as (
    select
        conflicts.submission_key as submission_id,
        conflicts.ingestion_id,
        conflicts.row_number,
        {% for field in fields %}
            {{ clean_field(field, "(conflicts.content ->> '" ~ field.name ~ "')") }} as {{ field.name }},
        {% endfor %}
        ingestions.received_at
    from conflicts
    inner join ingestions on conflicts.ingestion_id = ingestions.ingestion_id
    where conflicts.form = 'household_survey'
),

typed as (
    select
        submission_id,
        ingestion_id,
        row_number,
        {% for field in fields %}
            {{ cast_field(field, field.name) }} as {{ field.name }},
        {% endfor %}
        received_at
    from cleaned
)

select * from typed
