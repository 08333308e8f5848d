{# A failing row carries the aggregate itself, so that the reader need not compute it again. #}
{% macro aggregate_between(model, expression, min_value, max_value, group_by, row_condition, strictly) %}
{{ dbt_expectations.expression_between(
    model=model,
    expression=expression,
    min_value=min_value,
    max_value=max_value,
    group_by_columns=group_by,
    row_condition=row_condition,
    strictly=strictly,
    context_columns=[expression ~ " as measured_value"],
) }}
{% endmacro %}
