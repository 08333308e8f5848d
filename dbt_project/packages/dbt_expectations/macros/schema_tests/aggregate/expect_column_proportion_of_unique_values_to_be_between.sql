{% test expect_column_proportion_of_unique_values_to_be_between(
    model,
    column_name,
    min_value=none,
    max_value=none,
    group_by=none,
    row_condition=none,
    strictly=false
) %}
{% set proportion %}
    coalesce(count(distinct {{ column_name }})::numeric / nullif(count({{ column_name }}), 0), 1)
{% endset %}
{{ dbt_expectations.aggregate_between(
    model=model,
    expression=proportion,
    min_value=min_value,
    max_value=max_value,
    group_by=group_by,
    row_condition=row_condition,
    strictly=strictly,
) }}
{% endtest %}
