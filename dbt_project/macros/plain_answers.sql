{# How answers look whose cast can be neither wrong nor dangerous, by type: {pattern, longest, cast}. Most
   answers look like that, and what is asked of a whole row at once costs a tenth of asking each cell. #}
{% macro plain_answers() %}
    {% do return({
        'integer': {'pattern': '-?[0-9]+([.]0+)?', 'longest': 9, 'cast': '::double precision::integer'},
        'numeric': {'pattern': '-?[0-9]+([.][0-9]+)?', 'longest': 30, 'cast': '::double precision'},
        'boolean': {'pattern': '0|1|yes|no|true|false', 'longest': 5, 'cast': '::boolean'},
        'code': {'pattern': '[0-9A-Za-z_]+', 'longest': 60, 'cast': ''},
        'multi-code': {'pattern': '[0-9]+|"[0-9]+( [0-9]+)+"', 'longest': 200, 'cast': ''},
    }) %}
{% endmacro %}


{# The names of the fields that are asked at once: of such a type, without codes for *refused* and *unknown*. #}
{% macro plain_field_names(fields, types=plain_answers().keys()) %}
    {% do return(
        fields | selectattr('type', 'in', types) | rejectattr('missing_codes') | map(attribute='name') | list
    ) %}
{% endmacro %}


{# Whether every answer of a row is null or plain, of the types that `plain_answers` knows. A row as text bears quotes
   around a value that holds a comma, a bracket or a blank, so that no value can pass for two. #}
{% macro is_plain_row(fields) -%}
    true
    {%- for type, plain in plain_answers().items() %}
        {%- set names = plain_field_names(fields, [type]) %}
        {%- if names %}
            and row({{ names | join(', ') }})::text ~ '^[(](({{ plain.pattern }})?(,|[)]$))*$'
            and coalesce(greatest(octet_length({{ names | join('), octet_length(') }})), 0) <= {{ plain.longest }}
        {%- endif %}
    {%- endfor %}
{%- endmacro %}
