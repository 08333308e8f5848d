{% test expect_table_row_count_to_equal(model, value, group_by=none, row_condition=none) %}
{{ dbt_expectations.expression_is_true(
    model=model,
    expression="count(*) = (" ~ value ~ ")",
    group_by_columns=group_by,
    row_condition=row_condition,
    context_columns=["count(*) as measured_value"],
) }}
{% endtest %}
