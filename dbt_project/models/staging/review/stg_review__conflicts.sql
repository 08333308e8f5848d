{#- Of a submission that came again with other answers, what says whether its household consents. -#}
{{ config(materialized='view') }}

{%- set names = ['household_id', 'survey_date', 'consent'] %}
{%- set fields = contract_fields('household_survey') | selectattr('name', 'in', names) | list %}

with

conflicts as (
    select * from {{ source('review', 'conflicts') }}
),

cleaned as (
    select
        ingestion_id,
        row_number,
        {% for field in fields %}
            {{ clean_field(field, "(content ->> '" ~ field.name ~ "')") }} as {{ field.name }},
        {% endfor %}
        submission_key as submission_id
    from conflicts
    where form = 'household_survey'
),

typed as (
    select
        ingestion_id,
        row_number,
        {% for field in fields %}
            {{ cast_field(field, field.name) }} as {{ field.name }},
        {% endfor %}
        submission_id
    from cleaned
)

select * from typed
