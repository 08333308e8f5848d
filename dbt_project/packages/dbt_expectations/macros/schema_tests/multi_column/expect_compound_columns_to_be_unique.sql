{% test expect_compound_columns_to_be_unique(
    model,
    column_list,
    quote_columns=false,
    ignore_row_if="all_values_are_missing",
    row_condition=none
) %}
{% set columns = dbt_expectations.listed_columns(column_list, quote_columns) %}
select
    {{ columns | join(",\n    ") }},
    count(*) as n_records
from {{ model }}
{{ dbt_expectations.where_clause([row_condition, dbt_expectations.presence_condition(columns, ignore_row_if)]) }}
group by {{ range(1, columns | length + 1) | join(", ") }}
having count(*) > 1
{% endtest %}
