{# The round that a staged household submission belongs to: as sent, else the year of its date. #}
{% macro evaluated_round(submissions) -%}
    coalesce(
        {{ submissions }}.survey_round,
        to_char({{ submissions }}.survey_date, 'YYYY'),
        'undated'
    )
{%- endmacro %}
