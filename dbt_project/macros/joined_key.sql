{# A key of several columns: their values, parted by a slash and escaped as in a JSON pointer (RFC 6901), so that no two
   rows of different values can have the same key. #}
{% macro joined_key(columns) -%}
    {%- for column in columns -%}
        replace(replace({{ column }}, '~', '~0'), '/', '~1')
        {%- if not loop.last %} || '/' || {% endif -%}
    {%- endfor -%}
{%- endmacro %}
