{% test expect_compound_columns_to_be_unique(
    model,
    column_list,
    quote_columns=false,
    ignore_row_if="all_values_are_missing",
    row_condition=none
) %}
{% set operators = {"all_values_are_missing": " or ", "any_value_is_missing": " and "} %}
{{ dbt_expectations.require(column_list, "column_list is empty: list the columns of the key.") }}
{{ dbt_expectations.require(
    ignore_row_if in operators,
    "ignore_row_if is " ~ ignore_row_if ~ ": use all_values_are_missing or any_value_is_missing.",
) }}
{% set columns = [] %}
{% set presences = [] %}
{% for column in column_list %}
    {% do columns.append(adapter.quote(column) if quote_columns else column) %}
    {% do presences.append(columns[-1] ~ " is not null") %}
{% endfor %}
select
    {{ columns | join(",\n    ") }},
    count(*) as n_records
from {{ model }}
{{ dbt_expectations.where_clause([row_condition, presences | join(operators.get(ignore_row_if, " or "))]) }}
group by {{ range(1, columns | length + 1) | join(", ") }}
having count(*) > 1
{% endtest %}
