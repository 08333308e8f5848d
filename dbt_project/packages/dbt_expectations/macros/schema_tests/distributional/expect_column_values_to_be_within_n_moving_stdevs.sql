{# The judged period stands outside its own trend: a leap must not widen the limits that it is held against. #}
{% test expect_column_values_to_be_within_n_moving_stdevs(
    model,
    column_name,
    date_column_name,
    group_by=none,
    period="day",
    lookback_periods=1,
    trend_periods=7,
    test_periods=14,
    sigma_threshold=3,
    sigma_threshold_upper=none,
    sigma_threshold_lower=none,
    take_diffs=true,
    take_logs=true
) %}
{% set upper = sigma_threshold if sigma_threshold_upper is none else sigma_threshold_upper %}
{% set lower = -sigma_threshold if sigma_threshold_lower is none else sigma_threshold_lower %}
{% set period_column = "date_trunc('" ~ period ~ "', " ~ date_column_name ~ ")" %}
{% set groups = [] %}
{% for _ in group_by or [] %}
    {% do groups.append("col_" ~ (loop.index + 1)) %}
{% endfor %}
{% set partition = "partition by " ~ groups | join(", ") if groups else "" %}
{% set template = "coalesce(ln(nullif({}, 0)), 0)" if take_logs else "coalesce({}, 0)" %}
with totals as (

    {{ dbt_expectations.grouped_expression(
        model,
        "sum(" ~ column_name ~ ")",
        [period_column] + (group_by or []),
        none,
    ) }}

),

compared as (

    select
        *,
        lag(expression, {{ lookback_periods }}) over ({{ partition }} order by col_1) as expression_before
    from totals

),

measured as (

    select
        *,
        {{ template.format("expression") }}
        {{- " - " ~ template.format("expression_before") if take_diffs }} as measured_value
    from compared

),

scored as (

    select
        *,
        (measured_value - avg(measured_value) over trend)
        / nullif(stddev_samp(measured_value) over trend, 0) as sigma
    from measured
    window
        trend as (
            {{ partition }}
            order by col_1
            rows between {{ trend_periods }} preceding and 1 preceding
        )

)

select *
from scored
where
    col_1 >= date_trunc('{{ period }}', now()) - {{ test_periods }} * cast('1 {{ period }}' as interval)
    and col_1 < date_trunc('{{ period }}', now())
    and sigma not between {{ lower }} and {{ upper }}
{% endtest %}
