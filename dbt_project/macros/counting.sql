{# How many of the conditions hold, null where none can be answered. #}
{% macro count_true(conditions) -%}
    case
        when num_nonnulls({{ conditions | join(', ') }}) > 0
            then {% for condition in conditions -%}
                coalesce(({{ condition }})::integer, 0){{ ' + ' if not loop.last }}
            {%- endfor %}
    end
{%- endmacro %}


{# The share, 0 to 1, of the answered conditions that hold, null where none is answered. #}
{% macro share_true(conditions) -%}
    (
        {{ count_true(conditions) }}
    )::double precision / nullif(num_nonnulls({{ conditions | join(', ') }}), 0)
{%- endmacro %}


{# How many codes a multi-code answer holds, 0 where it is blank. #}
{% macro count_codes(answer) -%}
    coalesce(cardinality(string_to_array({{ answer }}, ' ')), 0)
{%- endmacro %}


{# A part of a whole in per cent, to one decimal; null where the whole is 0 or not known. #}
{% macro percentage(part, whole) -%}
    round(100.0 * {{ part }} / nullif({{ whole }}, 0), 1)
{%- endmacro %}
