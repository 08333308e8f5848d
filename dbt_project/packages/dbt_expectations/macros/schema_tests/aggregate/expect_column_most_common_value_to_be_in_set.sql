{# Of two values that are as common, the smaller one comes first, so that the verdict never changes by itself. #}
{% test expect_column_most_common_value_to_be_in_set(
    model,
    column_name,
    value_set,
    top_n,
    quote_values=true,
    data_type="decimal",
    row_condition=none
) %}
{% set members = dbt_expectations.value_list(value_set, quote_values) | join(", ") %}
{% set value_field = column_name if quote_values else "cast(" ~ column_name ~ " as " ~ data_type ~ ")" %}
with ranked as (

    select
        {{ value_field }} as value_field,
        count(*) as n_records,
        row_number() over (order by count(*) desc, {{ value_field }}) as value_rank
    from {{ model }}
    {{ dbt_expectations.where_clause([row_condition]) }}
    group by 1

)

select *
from ranked
where
    value_rank = {{ top_n }}
    and value_field not in ({{ members }})
{% endtest %}
