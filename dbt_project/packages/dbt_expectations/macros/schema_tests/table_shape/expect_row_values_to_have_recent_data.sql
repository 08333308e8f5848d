{% test expect_row_values_to_have_recent_data(model, column_name, datepart, interval, row_condition=none) %}
select newest.value_field
from (
    select max({{ column_name }}) as value_field
    from {{ model }}
    {{ dbt_expectations.where_clause([row_condition, column_name ~ " <= now()"]) }}
) as newest
where (newest.value_field >= {{ dbt_expectations.age_limit(datepart, interval) }}) is not true
{% endtest %}
