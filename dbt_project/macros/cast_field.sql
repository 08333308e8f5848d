{# A cleaned text expression as its field's type, null where it is no such value: a bad cell costs no row.
   The patterns are stricter than PostgreSQL's own input (no NaN, no 0x1F, no 1_000) and bound the digits, so
   that no cast can overflow. Spreadsheets write 5 as 5.0: that is an integer here. #}
{% macro cast_field(field, text) %}
    {%- set plain = "regexp_replace(" ~ text ~ ", '(\\d)[.]0+(?=\\s|$)', '\\1', 'g')" -%}
    {%- if field.type == 'integer' -%}
        case when {{ text }} ~ '^[+-]?\d{1,9}([.]0*)?$' then {{ text }}::numeric::integer end
    {%- elif field.type == 'numeric' -%}
        case
            when {{ text }} ~ '^[+-]?(\d{1,30}([.]\d{0,60})?|[.]\d{1,60})([eE][+-]?\d{1,2})?$'
                then {{ text }}::double precision
        end
    {%- elif field.type == 'boolean' -%}
        case
            when lower({{ text }}) in ('1', '1.0', 'true', 't', 'yes', 'y') then true
            when lower({{ text }}) in ('0', '0.0', 'false', 'f', 'no', 'n') then false
        end
    {%- elif field.type == 'date' -%}
        case
            when {{ text }} ~ '^\d{4}-\d{2}-\d{2}([T ]|$)' and pg_input_is_valid(left({{ text }}, 10), 'date')
                then left({{ text }}, 10)::date
        end
    {%- elif field.type == 'code' -%}
        {{ plain }}
    {%- elif field.type == 'multi-code' -%}
        case
            when {{ plain }} ~ '^\d+(\s+\d+)*$' then regexp_replace({{ plain }}, '\s+', ' ', 'g')
        end
    {%- elif field.casing == 'upper' -%}
        upper({{ text }})
    {%- else -%}
        {{ text }}
    {%- endif -%}
{% endmacro %}


{# A raw text expression without outer blanks, null where nothing is left or it says *unknown* or *refused*. #}
{% macro clean_field(field, text) %}
    {%- set trimmed = "nullif(btrim(" ~ text ~ ", E' \\t\\r\\n\\u00a0'), '')" -%}
    {%- if field.missing_codes -%}
        case
            when regexp_replace({{ trimmed }}, '[.]0+$', '') not in ('{{ field.missing_codes | join("', '") }}')
                then {{ trimmed }}
        end
    {%- else -%}
        {{ trimmed }}
    {%- endif -%}
{% endmacro %}
