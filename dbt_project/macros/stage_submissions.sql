{# The body of a form's staging model: its raw table, cleaned and cast as the contract says. An ingestion's rows
   become visible together, so one that is staged at all is staged whole. #}
{% macro stage_submissions(form) %}
{%- set fields = contract_fields(form) | rejectattr('name', 'equalto', 'submission_id') | list %}
{%- set careful = fields | rejectattr('name', 'in', plain_field_names(fields)) | list %}

with

submissions as (
    select
        raw_submission.*,
        {{ is_plain_row(fields) }} as is_plain
    from {{ source(form, 'submissions') }} as raw_submission
    {% if is_incremental() %}
        where not exists (
            select 1
            from {{ this }} as staged
            where staged.ingestion_id = raw_submission.ingestion_id
        )
    {% endif %}
    offset 0  {#- a fence: each row is asked once whether it is plain, not once for each of its fields #}
),

typed as (
    select
        submission_key as submission_id,
        ingestion_id,
        row_number,
        content_hash,
        form_version,
        source,
        deprecates,
        {% for field in fields %}
            {{ type_field(field) }} as {{ field.name }},
        {% endfor %}
        case
            when is_plain then {{ unreadable(careful, 'names') }}
            else {{ unreadable(fields, 'names') }}
        end as cast_error_columns,
        case
            when is_plain then jsonb_object({{ unreadable(careful, 'names') }}, {{ unreadable(careful, 'values') }})
            else jsonb_object({{ unreadable(fields, 'names') }}, {{ unreadable(fields, 'values') }})
        end as unreadable_values,
        extras,
        received_at
    from submissions
)

select * from typed
{% endmacro %}


{# A raw field as its type: at once where its row is plain, else with care. #}
{% macro type_field(field) -%}
    {%- set careful = cast_field(field, clean_field(field, field.name)) -%}
    {%- if plain_field_names([field]) -%}
        case when is_plain then {{ field.name }}{{ plain_answers()[field.type].cast }} else {{ careful }} end
    {%- else -%}
        {{ careful }}
    {%- endif -%}
{%- endmacro %}


{# The names, or the raw values, of the filled fields whose value is not of their type, as an array. #}
{% macro unreadable(fields, what) -%}
    array_remove(
        array[
            {% for field in fields if field.type not in ('text', 'code') %}
                {% set cleaned = clean_field(field, field.name) %}
                case
                    when {{ cleaned }} is not null and ({{ cast_field(field, cleaned) }}) is null
                        then {{ "'" ~ field.name ~ "'" if what == 'names' else field.name }}
                end,
            {% endfor %}
            null
        ]::text[],
        null
    )
{%- endmacro %}
