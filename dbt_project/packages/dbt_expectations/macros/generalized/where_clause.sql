{# Every condition stands in brackets, so an `or` inside one cannot reach outside it. #}
{% macro where_clause(conditions) %}
    {% set given = conditions | select | list %}
    {% if given %}
    where
        ({{ given | join(")\n        and (") }})
    {% endif %}
{% endmacro %}
