{# Runs inside `execute` only: a wrong argument stops its own test, never the parsing of the project. #}
{% macro require(condition, message) %}
    {% if execute and not condition %}
        {{ exceptions.raise_compiler_error("dbt_expectations: " ~ message) }}
    {% endif %}
{% endmacro %}
