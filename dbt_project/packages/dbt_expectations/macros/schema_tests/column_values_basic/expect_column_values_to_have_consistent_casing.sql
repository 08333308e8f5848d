{% test expect_column_values_to_have_consistent_casing(
    model,
    column_name,
    display_inconsistent_columns=false
) %}
with spellings as (

    select
        lower({{ column_name }}) as value_field,
        count(distinct {{ column_name }}) as spelling_count
    from {{ model }}
    where {{ column_name }} is not null
    group by 1

)

{% if display_inconsistent_columns %}
select *
from spellings
where spelling_count > 1
{% else %}
select
    sum(spelling_count) as spelling_count,
    count(*) as value_count
from spellings
having sum(spelling_count) > count(*)
{% endif %}
{% endtest %}
