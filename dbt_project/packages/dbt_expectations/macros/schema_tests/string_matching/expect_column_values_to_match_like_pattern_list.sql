{% test expect_column_values_to_match_like_pattern_list(
    model,
    column_name,
    like_pattern_list,
    match_on="any",
    row_condition=none,
    context_columns=[]
) %}
{% set matches = dbt_expectations.like_matches(column_name, like_pattern_list) %}
{{ dbt_expectations.expression_is_true(
    model=model,
    expression=dbt_expectations.joined_matches(matches, match_on),
    row_condition=row_condition,
    context_columns=context_columns,
) }}
{% endtest %}
