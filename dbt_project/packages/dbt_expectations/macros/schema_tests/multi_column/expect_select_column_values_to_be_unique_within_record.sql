{% test expect_select_column_values_to_be_unique_within_record(
    model,
    column_list,
    quote_columns=false,
    ignore_row_if="all_values_are_missing",
    row_condition=none,
    context_columns=[]
) %}
{% set columns = dbt_expectations.listed_columns(column_list, quote_columns) %}
with compared as (

    select
        {% for context_column in context_columns %}
        {{ context_column }},
        {% endfor %}
        array[cast({{ columns | join(" as text), cast(") }} as text)] as cells
    from {{ model }}
    {{ dbt_expectations.where_clause([row_condition, dbt_expectations.presence_condition(columns, ignore_row_if)]) }}

)

select *
from compared
where (select count(distinct cell) from unnest(cells) as unnested (cell)) < {{ columns | length }}
{% endtest %}
