{% test expect_column_values_to_be_unique(model, column_name, row_condition=none) %}
select
    {{ column_name }},
    count(*) as n_records
from {{ model }}
{{ dbt_expectations.where_clause([row_condition, column_name ~ " is not null"]) }}
group by 1
having count(*) > 1
{% endtest %}
