{% test expect_column_values_to_not_match_regex_list(
    model,
    column_name,
    regex_list,
    match_on="any",
    row_condition=none,
    is_raw=false,
    flags="",
    context_columns=[]
) %}
{% set matches = dbt_expectations.regex_matches(column_name, regex_list, flags, "not ") %}
{{ dbt_expectations.expression_is_true(
    model=model,
    expression=dbt_expectations.joined_matches(matches, match_on),
    row_condition=row_condition,
    context_columns=context_columns,
) }}
{% endtest %}
