{% test expect_table_column_count_to_equal_other_table(model, compare_model) %}
{% set column_count = dbt_expectations.relation_columns(model) | length %}
{% set compare_column_count = dbt_expectations.relation_columns(compare_model) | length %}
select
    {{ column_count }} as column_count,
    {{ compare_column_count }} as compare_column_count
where {{ column_count }} <> {{ compare_column_count }}
{% endtest %}
