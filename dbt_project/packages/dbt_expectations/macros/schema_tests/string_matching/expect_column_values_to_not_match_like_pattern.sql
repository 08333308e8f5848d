{% test expect_column_values_to_not_match_like_pattern(
    model,
    column_name,
    like_pattern,
    row_condition=none,
    context_columns=[]
) %}
{{ dbt_expectations.expression_is_true(
    model=model,
    expression=column_name ~ " not like " ~ dbt_expectations.text_literal(like_pattern),
    row_condition=row_condition,
    context_columns=context_columns,
) }}
{% endtest %}
