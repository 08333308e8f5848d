{% test expect_table_columns_to_match_ordered_list(model, column_list, transform="upper") %}
{% set listed = dbt_expectations.transformed_names(column_list, transform) %}
{% set present = dbt_expectations.relation_columns(model, transform) | map(attribute="name") | list %}
{% set misplaced = [] %}
{% for name in listed %}
    {% do misplaced.append(name) if present[loop.index0:loop.index] != [name] %}
{% endfor %}
{% for name in present %}
    {% do misplaced.append(name) if listed[loop.index0:loop.index] != [name] %}
{% endfor %}
{{ dbt_expectations.failing_columns(misplaced) }}
{% endtest %}
