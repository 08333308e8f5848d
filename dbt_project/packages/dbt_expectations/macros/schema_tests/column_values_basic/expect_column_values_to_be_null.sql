{% test expect_column_values_to_be_null(model, column_name, row_condition=none, context_columns=[]) %}
{{ dbt_expectations.expression_is_true(
    model=model,
    expression=column_name ~ " is null",
    row_condition=row_condition,
    context_columns=context_columns,
) }}
{% endtest %}
