{% test expect_table_columns_to_match_set(model, column_list, transform="upper") %}
{% set listed = dbt_expectations.transformed_names(column_list, transform) %}
{% set present = dbt_expectations.relation_columns(model, transform) | map(attribute="name") | list %}
{% set missing = listed | reject("in", present) | list %}
{% set extra = present | reject("in", listed) | list %}
{{ dbt_expectations.failing_columns(missing + extra) }}
{% endtest %}
