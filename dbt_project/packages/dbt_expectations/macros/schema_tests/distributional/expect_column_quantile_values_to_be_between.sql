{% test expect_column_quantile_values_to_be_between(
    model,
    column_name,
    quantile,
    min_value=none,
    max_value=none,
    group_by=none,
    row_condition=none,
    strictly=false
) %}
{{ dbt_expectations.aggregate_between(
    model=model,
    expression="percentile_cont(" ~ quantile ~ ") within group (order by " ~ column_name ~ ")",
    min_value=min_value,
    max_value=max_value,
    group_by=group_by,
    row_condition=row_condition,
    strictly=strictly,
) }}
{% endtest %}
