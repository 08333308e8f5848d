{# The dimensions of data quality and what each weighs in the score. #}
{% macro quality_weights() %}
    {% do return({
        'completeness': 0.30, 'validity': 0.30, 'uniqueness': 0.15, 'consistency': 0.15, 'timeliness': 0.10,
    }) %}
{% endmacro %}


{# The quality score, 0 to 100: the weighted mean of the shares of checks that passed, over the columns <dimension>_passed
   and <dimension>_checked. A dimension that nothing checked has no part in it. #}
{% macro quality_score() -%}
    round(
        100 * (
            {% for dimension, weight in quality_weights().items() %}
                coalesce({{ weight }} * {{ dimension }}_passed / nullif({{ dimension }}_checked, 0), 0)
                {{- ' + ' if not loop.last }}
            {% endfor %}
        ) / nullif(
            {% for dimension, weight in quality_weights().items() %}
                case when {{ dimension }}_checked > 0 then {{ weight }} else 0 end {{- ' + ' if not loop.last }}
            {% endfor %},
            0
        ),
        2
    )
{%- endmacro %}
