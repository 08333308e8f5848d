{% test expect_column_values_to_not_be_in_set(
    model,
    column_name,
    value_set,
    quote_values=true,
    row_condition=none,
    context_columns=[]
) %}
{% set members = dbt_expectations.value_list(value_set, quote_values) | join(", ") %}
{{ dbt_expectations.expression_is_true(
    model=model,
    expression=column_name ~ " not in (" ~ members ~ ")",
    row_condition=row_condition,
    context_columns=context_columns,
) }}
{% endtest %}
