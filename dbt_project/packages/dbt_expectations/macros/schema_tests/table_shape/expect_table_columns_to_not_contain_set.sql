{% test expect_table_columns_to_not_contain_set(model, column_list, transform="upper") %}
{% set listed = dbt_expectations.transformed_names(column_list, transform) %}
{% set present = dbt_expectations.relation_columns(model, transform) | map(attribute="name") | list %}
{{ dbt_expectations.failing_columns(listed | select("in", present) | list) }}
{% endtest %}
