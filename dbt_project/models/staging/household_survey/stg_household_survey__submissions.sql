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

{#- An ingestion's rows become visible together, so one that is staged at all is staged whole. -#}
{%- set fields = contract_fields('household_survey') | rejectattr('name', 'equalto', 'submission_id') | list %}

with

submissions as (
    select raw_survey.*
    from {{ source('raw', 'household_survey') }} as raw_survey
    {% if is_incremental() %}
        where not exists (
            select 1
            from {{ this }} as staged
            where staged.ingestion_id = raw_survey.ingestion_id
        )
    {% endif %}
),

cleaned as (
    select
        submission_key as submission_id,
        ingestion_id,
        row_number,
        content_hash,
        form_version,
        source,
        {% for field in fields %}
            {{ clean_field(field, field.name) }} as {{ field.name }},
        {% endfor %}
        extras,
        received_at
    from submissions
),

typed as (
    select
        cleaned.submission_id,
        cleaned.ingestion_id,
        cleaned.row_number,
        cleaned.content_hash,
        cleaned.form_version,
        cleaned.source,
        {% for field in fields %}
            {{ cast_field(field, 'cleaned.' ~ field.name) }} as {{ field.name }},
        {% endfor %}
        array_remove(
            array[
                {% for field in fields if field.type not in ('text', 'code') %}
                    case
                        when
                            cleaned.{{ field.name }} is not null
                            and ({{ cast_field(field, 'cleaned.' ~ field.name) }}) is null
                            then '{{ field.name }}'
                    end,
                {% endfor %}
                null
            ]::text[],
            null
        ) as cast_error_columns,
        cleaned.extras,
        cleaned.received_at
    from cleaned
)

select * from typed
