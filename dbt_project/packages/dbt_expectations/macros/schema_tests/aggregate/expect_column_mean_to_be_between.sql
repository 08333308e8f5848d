{% test expect_column_mean_to_be_between(
    model,
    column_name,
    min_value=none,
    max_value=none,
    group_by=none,
    row_condition=none,
    strictly=false
) %}
{{ dbt_expectations.aggregate_between(
    model=model,
    expression="avg(" ~ column_name ~ ")",
    min_value=min_value,
    max_value=max_value,
    group_by=group_by,
    row_condition=row_condition,
    strictly=strictly,
) }}
{% endtest %}
