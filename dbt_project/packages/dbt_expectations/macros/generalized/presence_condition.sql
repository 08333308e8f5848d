{% macro presence_condition(columns, ignore_row_if) %}
    {% set operators = {"all_values_are_missing": " or ", "any_value_is_missing": " and "} %}
    {{ dbt_expectations.require(
        ignore_row_if in operators,
        "ignore_row_if is " ~ ignore_row_if ~ ": use all_values_are_missing or any_value_is_missing.",
    ) }}
    {% set presences = [] %}
    {% for column in columns %}
        {% do presences.append(column ~ " is not null") %}
    {% endfor %}
    {{ return(presences | join(operators.get(ignore_row_if, " or "))) }}
{% endmacro %}


{% macro listed_columns(column_list, quote_columns=false) %}
    {{ dbt_expectations.require(column_list, "column_list is empty: list the columns to compare.") }}
    {% set columns = [] %}
    {% for column in column_list or [] %}
        {% do columns.append(adapter.quote(column) if quote_columns else column) %}
    {% endfor %}
    {{ return(columns) }}
{% endmacro %}
