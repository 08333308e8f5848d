{% test expect_column_pair_values_to_be_equal(
    model,
    column_A,
    column_B,
    row_condition=none,
    context_columns=[]
) %}
{{ dbt_expectations.expression_is_true(
    model=model,
    expression="(" ~ column_A ~ ") = (" ~ column_B ~ ")",
    row_condition=row_condition,
    context_columns=context_columns,
) }}
{% endtest %}
