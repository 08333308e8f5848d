{% test expect_column_distinct_count_to_be_greater_than(
    model,
    column_name,
    value,
    group_by=none,
    row_condition=none
) %}
{{ dbt_expectations.expression_is_true(
    model=model,
    expression="count(distinct " ~ column_name ~ ") > (" ~ value ~ ")",
    group_by_columns=group_by,
    row_condition=row_condition,
    context_columns=["count(distinct " ~ column_name ~ ") as measured_value"],
) }}
{% endtest %}
