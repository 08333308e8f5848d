{% test expect_column_distinct_values_to_equal_set(
    model,
    column_name,
    value_set,
    quote_values=true,
    row_condition=none
) %}
{{ dbt_expectations.distinct_values_outside_set(model, column_name, value_set, quote_values, row_condition) }}
union all
{{ dbt_expectations.listed_values_absent(model, column_name, value_set, quote_values, row_condition) }}
{% endtest %}
