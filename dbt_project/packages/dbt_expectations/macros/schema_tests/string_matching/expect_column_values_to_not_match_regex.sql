{% test expect_column_values_to_not_match_regex(
    model,
    column_name,
    regex,
    row_condition=none,
    is_raw=false,
    flags="",
    context_columns=[]
) %}
{{ dbt_expectations.expression_is_true(
    model=model,
    expression="not " ~ dbt_expectations.regex_match(column_name, regex, flags),
    row_condition=row_condition,
    context_columns=context_columns,
) }}
{% endtest %}
