{% test expect_column_value_lengths_to_equal(
    model,
    column_name,
    value,
    row_condition=none,
    context_columns=[]
) %}
{{ dbt_expectations.expression_is_true(
    model=model,
    expression="length(" ~ column_name ~ ") = (" ~ value ~ ")",
    row_condition=row_condition,
    context_columns=context_columns,
) }}
{% endtest %}
