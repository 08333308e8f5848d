{# A period is a failing row under the name of its part, date_day say, which exclusion_condition may use. #}
{% test expect_row_values_to_have_data_for_every_n_datepart(
    model,
    date_col,
    date_part="day",
    interval=none,
    row_condition=none,
    exclusion_condition=none,
    test_start_date=none,
    test_end_date=none
) %}
{% set first_date = "'" ~ test_start_date ~ "'" if test_start_date else "first_happening" %}
{% set last_date = "'" ~ test_end_date ~ "'" if test_end_date else "last_happening" %}
{% set length = "cast('" ~ (interval or 1) ~ " " ~ date_part ~ "' as interval)" %}
with happenings as (

    select cast({{ date_col }} as timestamp) as happened_at
    from {{ model }}
    {{ dbt_expectations.where_clause([row_condition]) }}

),

extremes as (

    select
        min(happened_at) as first_happening,
        max(happened_at) as last_happening
    from happenings

),

bounds as (

    select
        date_trunc('{{ date_part }}', cast(cast({{ first_date }} as date) as timestamp)) as first_at,
        cast({{ last_date }} as date) as last_date
    from extremes

),

periods as (

    select date_{{ date_part }}
    from bounds
    cross join generate_series(first_at, last_date, {{ length }}) as series (date_{{ date_part }})
    where date_{{ date_part }} < last_date

),

missing as (

    select date_{{ date_part }}
    from periods
    where
        not exists (
            select 1
            from happenings
            where
                happened_at >= date_{{ date_part }}
                and happened_at < date_{{ date_part }} + {{ length }}
        )

)

select *
from missing
{{ dbt_expectations.where_clause([exclusion_condition]) }}
{% endtest %}
