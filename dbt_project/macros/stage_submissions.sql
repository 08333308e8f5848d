{# The body of a form's staging model: its raw table, cleaned and cast as the contract says. An ingestion's rows
   become visible together, so one that is staged at all is staged whole. #}
{% macro stage_submissions(form) %}
{%- set fields = contract_fields(form) | rejectattr('name', 'equalto', 'submission_id') | list %}

with

submissions as (
    select raw_submission.*
    from {{ source('raw', form) }} as raw_submission
    {% if is_incremental() %}
        where not exists (
            select 1
            from {{ this }} as staged
            where staged.ingestion_id = raw_submission.ingestion_id
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
        deprecates,
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
        cleaned.deprecates,
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
{% endmacro %}
