{# now() carries its zone, so a time stamp with a zone is compared as the moment that it is. #}
{% macro age_limit(datepart, interval) %}
    {% set dateparts = ["second", "minute", "hour", "day", "week", "month", "quarter", "year"] %}
    {{ dbt_expectations.require(
        datepart in dateparts,
        "datepart is " ~ datepart ~ ": use " ~ dateparts | join(", ") ~ ".",
    ) }}
    {{ return("now() - " ~ interval ~ " * cast('1 " ~ datepart ~ "' as interval)") }}
{% endmacro %}
