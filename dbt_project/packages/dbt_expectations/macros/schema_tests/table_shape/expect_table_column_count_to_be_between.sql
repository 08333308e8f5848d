{% test expect_table_column_count_to_be_between(model, min_value=none, max_value=none) %}
{{ dbt_expectations.require(
    min_value is not none or max_value is not none,
    "give min_value, max_value or both to the column count of " ~ model ~ ".",
) }}
{% set column_count = dbt_expectations.relation_columns(model) | length %}
{% set is_below = min_value is not none and column_count < min_value %}
{% set is_above = max_value is not none and column_count > max_value %}
select {{ column_count }} as column_count
where {{ is_below or is_above }}
{% endtest %}
