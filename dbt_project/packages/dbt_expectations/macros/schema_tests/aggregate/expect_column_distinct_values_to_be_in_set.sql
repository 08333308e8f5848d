{% test expect_column_distinct_values_to_be_in_set(
    model,
    column_name,
    value_set,
    quote_values=true,
    row_condition=none
) %}
{{ dbt_expectations.distinct_values_outside_set(model, column_name, value_set, quote_values, row_condition) }}
{% endtest %}
