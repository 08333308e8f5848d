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
{% set value_field = "value_field" if quote_values else "cast(value_field as " ~ data_type ~ ")" %}
with ranked as (

    select
        {{ column_name }} as value_field,
        count(*) as n_records,
        row_number() over (order by count(*) desc, {{ column_name }}) as value_rank
    from {{ model }}
    {{ dbt_expectations.where_clause([row_condition]) }}
    group by 1

)

select *
from ranked
where
    value_rank = {{ top_n }}
    and {{ value_field }} not in ({{ members }})
{% endtest %}
