{% test expect_column_to_exist(model, column_name, column_index=none, transform="upper") %}
{{ dbt_expectations.require(
    column_index is none or column_index >= 1,
    "column_index counts from 1, so it cannot be " ~ column_index ~ ".",
) }}
{% set name = dbt_expectations.transformed_names([column_name], transform)[0] %}
{% set names = dbt_expectations.relation_columns(model, transform) | map(attribute="name") | list %}
{% set candidates = names if column_index is none else names[column_index - 1:column_index] %}
{{ dbt_expectations.failing_columns([] if name in candidates else [name]) }}
{% endtest %}
