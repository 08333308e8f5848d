{% test expect_multicolumn_sum_to_equal(
    model,
    column_list,
    sum_total,
    group_by=none,
    row_condition=none
) %}
{{ dbt_expectations.require(column_list, "column_list is empty: list the columns to add up.") }}
{% set measured = "sum(" ~ column_list | join(") + sum(") ~ ")" %}
{% set total = sum_total if sum_total is number else "sum(" ~ sum_total ~ ")" %}
{{ dbt_expectations.expression_is_true(
    model=model,
    expression=measured ~ " = " ~ total,
    group_by_columns=group_by,
    row_condition=row_condition,
    context_columns=[measured ~ " as measured_value"],
) }}
{% endtest %}
