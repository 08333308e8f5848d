{% test expect_column_values_to_be_in_type_list(model, column_name, column_type_list) %}
{{ dbt_expectations.column_type_outside_list(model, column_name, column_type_list) }}
{% endtest %}
