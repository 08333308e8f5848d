{% test expect_row_values_to_have_recent_data(model, column_name, datepart, interval, row_condition=none) %}
{{ dbt_expectations.require(
    datepart in ["second", "minute", "hour", "day", "week", "month", "year"],
    "datepart is " ~ datepart ~ ": use second, minute, hour, day, week, month or year.",
) }}
select newest.value_field
from (
    select max({{ column_name }}) as value_field
    from {{ model }}
    {{ dbt_expectations.where_clause([row_condition, column_name ~ " <= now()"]) }}
) as newest
where (newest.value_field >= now() - {{ interval }} * interval '1 {{ datepart }}') is not true
{% endtest %}
