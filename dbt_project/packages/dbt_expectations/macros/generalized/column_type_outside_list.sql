{% macro column_type_outside_list(model, column_name, column_types) %}
{{ dbt_expectations.require(column_types, "the list of types is empty: list at least one.") }}
{% set name = dbt_expectations.transformed_names([column_name], "upper")[0] %}
{% set columns = dbt_expectations.relation_columns(model) | selectattr("name", "equalto", name) | list %}
{% set types = columns | map(attribute="type") | list %}
select
    {{ dbt_expectations.text_literal(column_name) }} as column_name,
    {{ dbt_expectations.text_literal(types | join or "absent") }} as actual_type,
    {{ dbt_expectations.text_literal(column_types | join(", ")) }} as expected_types
where {{ not types or types[0] not in column_types | map("lower") }}
{% endmacro %}
