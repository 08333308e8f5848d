{% test expect_table_row_count_to_equal_other_table_times_factor(
    model,
    compare_model,
    factor,
    group_by=none,
    compare_group_by=none,
    row_condition=none,
    compare_row_condition=none
) %}
{{ dbt_expectations.equal_expression(
    model=model,
    expression="count(*)",
    compare_model=compare_model,
    compare_expression="count(*) * " ~ factor,
    group_by=group_by,
    compare_group_by=compare_group_by,
    row_condition=row_condition,
    compare_row_condition=compare_row_condition,
) }}
{% endtest %}
