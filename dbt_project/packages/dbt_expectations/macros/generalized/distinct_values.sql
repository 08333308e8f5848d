{% macro distinct_values_outside_set(model, column_name, value_set, quote_values, row_condition) %}
{% set members = dbt_expectations.value_list(value_set, quote_values) %}
select present.value_field
from (
    select distinct {{ column_name }} as value_field
    from {{ model }}
    {{ dbt_expectations.where_clause([row_condition]) }}
) as present
where (present.value_field in ({{ members | join(", ") }})) is not true
{% endmacro %}


{% macro listed_values_absent(model, column_name, value_set, quote_values, row_condition) %}
{% set members = dbt_expectations.value_list(value_set, quote_values) %}
select listed.value_field
from (
    select distinct column1 as value_field
    from (values ({{ members | join("), (") }})) as members
) as listed
where
    not exists (
        select 1
        from (
            select {{ column_name }} as value_field
            from {{ model }}
            {{ dbt_expectations.where_clause([row_condition]) }}
        ) as present
        where present.value_field = listed.value_field
    )
{% endmacro %}
