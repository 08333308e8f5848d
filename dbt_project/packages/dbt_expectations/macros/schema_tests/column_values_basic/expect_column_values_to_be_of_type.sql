{% test expect_column_values_to_be_of_type(model, column_name, column_type) %}
{{ dbt_expectations.column_type_outside_list(model, column_name, [column_type]) }}
{% endtest %}
