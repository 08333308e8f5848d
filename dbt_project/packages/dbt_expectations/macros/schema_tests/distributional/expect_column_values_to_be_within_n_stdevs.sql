{% test expect_column_values_to_be_within_n_stdevs(model, column_name, group_by=none, sigma_threshold=3) %}
{% set group_by = group_by or [] %}
with totals as (

    {{ dbt_expectations.grouped_expression(model, "sum(" ~ column_name ~ ")", group_by, none) }}

),

scored as (

    select
        *,
        (expression - avg(expression) over ()) / nullif(stddev_samp(expression) over (), 0) as sigma
    from totals

)

select *
from scored
where abs(sigma) > {{ sigma_threshold }}
{% endtest %}
