{% test expect_column_values_to_be_increasing(
    model,
    column_name,
    sort_column=none,
    strictly=true,
    row_condition=none,
    group_by=none,
    step=none,
    context_columns=[]
) %}
{{ dbt_expectations.values_in_order(
    model=model,
    column_name=column_name,
    comparison=">",
    sort_column=sort_column,
    strictly=strictly,
    row_condition=row_condition,
    group_by=group_by,
    step=step,
    context_columns=context_columns,
) }}
{% endtest %}
