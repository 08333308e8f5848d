{% test expect_column_value_lengths_to_be_between(
    model,
    column_name,
    min_value=none,
    max_value=none,
    row_condition=none,
    strictly=false,
    context_columns=[]
) %}
{{ dbt_expectations.expression_between(
    model=model,
    expression="length(" ~ column_name ~ ")",
    min_value=min_value,
    max_value=max_value,
    row_condition=row_condition,
    strictly=strictly,
    context_columns=context_columns,
) }}
{% endtest %}
