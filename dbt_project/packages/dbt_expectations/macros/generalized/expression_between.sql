{% macro expression_between(
    model,
    expression,
    min_value=none,
    max_value=none,
    group_by_columns=none,
    row_condition=none,
    strictly=false,
    context_columns=[]
) %}
{{ dbt_expectations.require(
    min_value is not none or max_value is not none,
    "give min_value, max_value or both to the test of " ~ expression ~ " on " ~ model ~ ".",
) }}
{% set or_equal = "" if strictly else "=" %}
{% set bounds = [] %}
{% if min_value is not none %}
    {% do bounds.append("(" ~ expression ~ ") >" ~ or_equal ~ " (" ~ min_value ~ ")") %}
{% endif %}
{% if max_value is not none %}
    {% do bounds.append("(" ~ expression ~ ") <" ~ or_equal ~ " (" ~ max_value ~ ")") %}
{% endif %}
{{ dbt_expectations.expression_is_true(
    model=model,
    expression=bounds | join(" and "),
    group_by_columns=group_by_columns,
    row_condition=row_condition,
    context_columns=context_columns,
) }}
{% endmacro %}


{% test expression_between(
    model,
    expression,
    min_value=none,
    max_value=none,
    group_by_columns=none,
    row_condition=none,
    strictly=false,
    context_columns=[]
) %}
{{ dbt_expectations.expression_between(
    model=model,
    expression=expression,
    min_value=min_value,
    max_value=max_value,
    group_by_columns=group_by_columns,
    row_condition=row_condition,
    strictly=strictly,
    context_columns=context_columns,
) }}
{% endtest %}
