{# The columns as the database's catalog has them, in order: a list of dictionaries with `name` and `type`. #}
{% macro relation_columns(model, transform="upper") %}
    {% if not execute %}
        {{ return([]) }}
    {% endif %}
    {{ dbt_expectations.require(
        model is not string,
        "a test of a table's columns takes no `where` config: " ~ model ~ " is a query, not a relation.",
    ) }}
    {% set catalog = adapter.get_columns_in_relation(model) %}
    {{ dbt_expectations.require(
        catalog,
        model ~ " has no columns in the catalog: it does not exist, or is ephemeral.",
    ) }}
    {% set columns = [] %}
    {% for column in catalog %}
        {% do columns.append({
            "name": dbt_expectations.transformed_names([column.name], transform)[0],
            "type": column.dtype | lower,
        }) %}
    {% endfor %}
    {{ return(columns) }}
{% endmacro %}


{% macro transformed_names(names, transform) %}
    {{ dbt_expectations.require(names, "the list of columns is empty: list at least one.") }}
    {{ return(names | map("trim", '"') | map(transform) | list) }}
{% endmacro %}


{% macro failing_columns(names) %}
{% set literals = [] %}
{% for name in names %}
    {% do literals.append(dbt_expectations.text_literal(name)) %}
{% endfor %}
{% if literals %}
select column1 as column_name
from (values ({{ literals | join("), (") }})) as failing
{% else %}
select cast(null as text) as column_name
where false
{% endif %}
{% endmacro %}
