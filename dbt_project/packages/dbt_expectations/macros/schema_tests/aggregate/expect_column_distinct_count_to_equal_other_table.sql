{% test expect_column_distinct_count_to_equal_other_table(
    model,
    column_name,
    compare_model,
    compare_column_name=none,
    row_condition=none,
    compare_row_condition=none
) %}
{{ dbt_expectations.equal_expression(
    model=model,
    expression="count(distinct " ~ column_name ~ ")",
    compare_model=compare_model,
    compare_expression="count(distinct " ~ (compare_column_name or column_name) ~ ")",
    row_condition=row_condition,
    compare_row_condition=compare_row_condition,
) }}
{% endtest %}
