{% test expect_table_column_count_to_equal(model, value) %}
{% set column_count = dbt_expectations.relation_columns(model) | length %}
select {{ column_count }} as column_count
where {{ column_count }} <> {{ value }}
{% endtest %}
