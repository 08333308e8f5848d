{% macro values_in_order(
    model,
    column_name,
    comparison,
    sort_column=none,
    strictly=true,
    row_condition=none,
    group_by=none,
    step=none,
    context_columns=[]
) %}
{% if step is not none %}
    {% set difference = step if comparison == ">" else "-(" ~ step ~ ")" %}
    {% set expectation = "value_field - value_before = " ~ difference %}
{% else %}
    {% set expectation = "value_field " ~ comparison ~ ("" if strictly else "=") ~ " value_before" %}
{% endif %}
with ordered as (

    select
        {% for context_column in context_columns %}
        {{ context_column }},
        {% endfor %}
        {{ column_name }} as value_field,
        lag({{ column_name }}) over (
            {{ "partition by " ~ group_by | join(", ") if group_by }}
            order by {{ sort_column or column_name }}
        ) as value_before
    from {{ model }}
    {{ dbt_expectations.where_clause([row_condition]) }}

)

select *
from ordered
where not ({{ expectation }})
{% endmacro %}
