{% test expect_grouped_row_values_to_have_recent_data(
    model,
    group_by,
    timestamp_column,
    datepart,
    interval,
    row_condition=none
) %}
{{ dbt_expectations.require(group_by, "group_by is empty: list the columns that name a group.") }}
{% set conditions = [row_condition, timestamp_column ~ " <= now()"] %}
{% for group_by_column in group_by %}
    {% do conditions.append("(" ~ group_by_column ~ ") is not null") %}
{% endfor %}
select
    {% for group_by_column in group_by %}
    {{ group_by_column }} as col_{{ loop.index }},
    {% endfor %}
    max({{ timestamp_column }}) as value_field
from {{ model }}
{{ dbt_expectations.where_clause(conditions) }}
group by {{ range(1, group_by | length + 1) | join(", ") }}
having max({{ timestamp_column }}) < {{ dbt_expectations.age_limit(datepart, interval) }}
{% endtest %}
