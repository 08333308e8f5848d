{% macro expression_is_true(
    model,
    expression,
    test_condition="= true",
    group_by_columns=none,
    row_condition=none,
    context_columns=[]
) %}
{% set group_by_columns = group_by_columns or [] %}
with evaluated as (

    select
        {% for group_by_column in group_by_columns %}
        {{ group_by_column }} as col_{{ loop.index }},
        {% endfor %}
        {% for context_column in context_columns %}
        {{ context_column }},
        {% endfor %}
        ({{ expression }}) {{ test_condition }} as expression
    from {{ model }}
    {{ dbt_expectations.where_clause([row_condition]) }}
    {% if group_by_columns %}
    group by {{ range(1, group_by_columns | length + 1) | join(", ") }}
    {% endif %}

)

select *
from evaluated
where not expression
{% endmacro %}


{% test expression_is_true(
    model,
    expression,
    test_condition="= true",
    group_by_columns=none,
    row_condition=none,
    context_columns=[]
) %}
{{ dbt_expectations.expression_is_true(
    model=model,
    expression=expression,
    test_condition=test_condition,
    group_by_columns=group_by_columns,
    row_condition=row_condition,
    context_columns=context_columns,
) }}
{% endtest %}
