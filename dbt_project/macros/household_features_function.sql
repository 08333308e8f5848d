{# `features.household_features(surveys)`: the features of surveys that no table holds, for answers at once. `surveys` is
   a list of {field: answer}, every answer as the raw table would hold it; it is cleaned and cast as staging does, and
   the features are the text of the mart. So that mart and function never say different things, the mart makes the
   function in its own transaction, and forgets the rows that another function's text has made. #}
{% macro create_household_features() -%}
    {%- set returned = ['row_number bigint', 'household_id text'] -%}
    {%- for column in feature_columns() -%}
        {%- do returned.append(column.name ~ ' ' ~ column.data_type) -%}
    {%- endfor -%}
    {%- if execute and not returns_columns(returned) %}
        drop function if exists {{ this.schema }}.household_features(jsonb);
    {%- endif %}
    create or replace function {{ this.schema }}.household_features(surveys jsonb)
    returns table ({{ returned | join(', ') }})
    language sql stable parallel safe
    as $function${{ household_features_source() }}$function$;
    comment on function {{ this.schema }}.household_features(jsonb) is
    'The features of surveys, a list of objects of answers by field, made by the very SQL of {{ this.identifier }}.'
{%- endmacro %}


{# Delete what another text than today's has made, for it is made anew. #}
{% macro forget_other_features() -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where not exists (
            select 1
            from pg_proc
            where
                pg_proc.oid = to_regprocedure('{{ this.schema }}.household_features(jsonb)')
                and md5(pg_proc.prosrc) = '{{ local_md5(household_features_source()) }}'
        )
    {%- endif -%}
{%- endmacro %}


{# What the function does, from answers to features. Each `offset 0` is a fence: an answer is cleaned once, however often
   its cast looks at it. #}
{% macro household_features_source() %}
{%- set expressions = household_sums() ~ ' ' ~ household_features() -%}
{%- set fields = [] -%}
{%- for field in contract_fields('household_survey') -%}
    {%- if field.name in ('household_id', 'district') or modules.re.search('\\b' ~ field.name ~ '\\b', expressions) -%}
        {%- do fields.append(field) -%}
    {%- endif -%}
{%- endfor %}
with

submissions as (
    select *
    from rows from (
        jsonb_to_recordset(surveys) as ({{ fields | map(attribute='name') | join(' text, ') }} text)
    ) with ordinality as survey ({{ fields | map(attribute='name') | join(', ') }}, row_number)
),

cleaned as (
    select
        {% for field in fields %}
            {{ clean_field(field, field.name) }} as {{ field.name }},
        {% endfor %}
        row_number
    from submissions
    offset 0
),

households as (
    select
        {% for field in fields %}
            {{ cast_field(field, field.name) }} as {{ field.name }},
        {% endfor %}
        row_number
    from cleaned
    offset 0
),

sums as (
    select
        *,
        {{ household_sums() }}
    from households
),

features as (
    select
        row_number,
        household_id,
        district,

        {{ household_features() }}
    from sums
)

select
    row_number,
    household_id,
    {{ feature_columns() | map(attribute='name') | join(', ') }}
from features
{% endmacro %}


{# The columns of the mart that a model may see, in its order. Asked by the mart's own hooks. #}
{% macro feature_columns() %}
    {% do return(model.columns.values() | selectattr('config.meta.tracks') | list) %}
{% endmacro %}


{# Whether the standing function returns these columns: another list of them cannot be put in its place. #}
{% macro returns_columns(returned) %}
    {% set found = run_query(
        "select 1 from pg_proc where oid = to_regprocedure('" ~ this.schema ~ ".household_features(jsonb)')"
        ~ " and pg_get_function_result(oid) = 'TABLE(" ~ returned | join(', ') ~ ")'"
    ) %}
    {% do return(found | length > 0) %}
{% endmacro %}
