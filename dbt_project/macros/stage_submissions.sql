{# The body of a form's staging model: its raw table, cleaned and cast as the contract says. An ingestion's rows
   become visible together, so one that is staged at all is staged whole. Each `offset 0` is a fence: what stands
   before it is computed once for each row, however often it is asked for behind it. #}
{% macro stage_submissions(form) %}
{%- do refuse_without_exported_rows(form) %}
{%- set fields = contract_fields(form) | rejectattr('name', 'equalto', 'submission_id') | list %}
{%- set plain = plain_field_names(fields) %}

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
    offset 0
),

cleaned as (
    select
        {% for field in fields %}
            {% set clean = clean_field(field, field.name) %}
            {{ 'case when is_plain then ' ~ field.name ~ ' else ' ~ clean ~ ' end' if field.name in plain else clean }}
            as {{ field.name }},
        {% endfor %}
        is_plain,
        submission_key as submission_id,
        ingestion_id,
        row_number,
        content_hash,
        form_version,
        source,
        deprecates,
        extras,
        received_at
    from submissions
    offset 0
),

typed as (
    select
        {% for field in fields %}
            {% set careful = cast_field(field, field.name) %}
            {% if field.name in plain %}
                case
                    when is_plain then {{ field.name }}{{ plain_answers()[field.type].cast }}
                    else {{ careful }}
                end as {{ field.name }},
            {% else %}
                {{ careful }} as {{ field.name }},
            {% endif %}
            {% if field.type not in ('text', 'code') %}
                {{ field.name }} as {{ field.name }}_as_sent,
            {% endif %}
        {% endfor %}
        is_plain,
        submission_id,
        ingestion_id,
        row_number,
        content_hash,
        form_version,
        source,
        deprecates,
        extras,
        received_at
    from cleaned
    offset 0
),

staged as (
    select
        submission_id,
        ingestion_id,
        row_number,
        content_hash,
        form_version,
        source,
        deprecates,
        {% for field in fields %}
            {{ field.name }},
        {% endfor %}
        case
            when is_plain then {{ unreadable(fields, plain, 'names') }}
            else {{ unreadable(fields, [], 'names') }}
        end as cast_error_columns,
        jsonb_object(
            case
                when is_plain then {{ unreadable(fields, plain, 'names') }}
                else {{ unreadable(fields, [], 'names') }}
            end,
            case
                when is_plain then {{ unreadable(fields, plain, 'values') }}
                else {{ unreadable(fields, [], 'values') }}
            end
        ) as unreadable_values,
        extras,
        received_at
    from typed
)

select * from staged
{% endmacro %}


{# Rows that left the raw table stay staged; a staging model that is made anew would lose them. #}
{% macro refuse_without_exported_rows(form) %}
    {% if execute and flags.WHICH in ('build', 'run') and not is_incremental() %}
        {% set statement %}
            select count(*) as uploads
            from {{ exported_rows() }}
            where form = '{{ form }}'
        {% endset %}
        {% set uploads = run_query(statement)[0][0] %}
        {% if uploads %}
            {% do exceptions.raise_compiler_error(
                'The raw rows of ' ~ uploads ~ ' uploads of ' ~ form ~ ' are in the archive, and staging cannot be '
                ~ 'made anew without them: run `kyalo archive restore ' ~ form ~ '` first. Nothing was changed.'
            ) %}
        {% endif %}
    {% endif %}
{% endmacro %}


{# The list of uploads whose rows left: it stands beside the ledger, and no model reads it. #}
{% macro exported_rows() %}
    {% do return(source('ledger', 'ingestions').incorporate(path={'identifier': 'exported_rows'})) %}
{% endmacro %}


{# The names, or what was sent, of the filled fields whose value is not of their type, as an array. #}
{% macro unreadable(fields, except, what) -%}
    array_remove(
        array[
            {% for field in fields if field.type not in ('text', 'code') and field.name not in except %}
                case
                    when {{ field.name }} is null and {{ field.name }}_as_sent is not null
                        then {{ "'" ~ field.name ~ "'" if what == 'names' else field.name ~ '_as_sent' }}
                end,
            {% endfor %}
            null
        ]::text[],
        null
    )
{%- endmacro %}
