{% macro equal_expression(
    model,
    expression,
    compare_model,
    compare_expression=none,
    group_by=none,
    compare_group_by=none,
    row_condition=none,
    compare_row_condition=none,
    tolerance=0.0,
    tolerance_percent=none
) %}
{% set group_by = group_by or [] %}
{% set compare_group_by = compare_group_by or group_by %}
{{ dbt_expectations.require(
    group_by | length == compare_group_by | length,
    "group_by and compare_group_by of the test on " ~ model ~ " must have the same number of columns.",
) }}
with this_side as (

    {{ dbt_expectations.grouped_expression(model, expression, group_by, row_condition) }}

),

other_side as (

    {{ dbt_expectations.grouped_expression(
        compare_model,
        compare_expression or expression,
        compare_group_by,
        compare_row_condition or row_condition,
    ) }}

),

compared as (

    select
        {% for _ in group_by %}
        coalesce(this_side.col_{{ loop.index }}, other_side.col_{{ loop.index }}) as col_{{ loop.index }},
        {% endfor %}
        this_side.expression as expression,
        other_side.expression as compare_expression,
        abs(coalesce(this_side.expression, 0) - coalesce(other_side.expression, 0)) as expression_difference
    from this_side
    {% if group_by %}
    full join other_side
        on
            {% for _ in group_by %}
            this_side.col_{{ loop.index }} = other_side.col_{{ loop.index }}
            {{- " and" if not loop.last }}
            {% endfor %}
    {% else %}
    cross join other_side
    {% endif %}

)

select *
from compared
{% if tolerance_percent %}
where expression_difference / nullif(abs(expression * 1.0), 0) > {{ tolerance_percent }}
{% else %}
where expression_difference > {{ tolerance }}
{% endif %}
{% endmacro %}


{% macro grouped_expression(model, expression, group_by, row_condition) %}
    select
        {% for group_by_column in group_by %}
        {{ group_by_column }} as col_{{ loop.index }},
        {% endfor %}
        {{ expression }} as expression
    from {{ model }}
    {{ dbt_expectations.where_clause([row_condition]) }}
    {% if group_by %}
    group by {{ range(1, group_by | length + 1) | join(", ") }}
    {% endif %}
{% endmacro %}


{% test equal_expression(
    model,
    expression,
    compare_model,
    compare_expression=none,
    group_by=none,
    compare_group_by=none,
    row_condition=none,
    compare_row_condition=none,
    tolerance=0.0,
    tolerance_percent=none
) %}
{{ dbt_expectations.equal_expression(
    model=model,
    expression=expression,
    compare_model=compare_model,
    compare_expression=compare_expression,
    group_by=group_by,
    compare_group_by=compare_group_by,
    row_condition=row_condition,
    compare_row_condition=compare_row_condition,
    tolerance=tolerance,
    tolerance_percent=tolerance_percent,
) }}
{% endtest %}
