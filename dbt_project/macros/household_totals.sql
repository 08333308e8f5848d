{# What a summary says of a group of rows of dim_households. Averages are taken of numerics: a sum of floats depends
   on the order that parallel workers add them in. #}
{% macro household_totals() -%}
    count(*) as households,
    sum(household_size) as people,
    count(vulnerability_probability) as households_scored,
    count(*) filter (where is_predicted_vulnerable) as households_predicted_vulnerable,
    round(sum(vulnerability_probability::numeric), 1) as expected_vulnerable_households,
    avg(vulnerability_probability::numeric)::double precision as mean_vulnerability_probability,
    count(*) filter (where risk_category = 'critical') as households_critical,
    count(*) filter (where risk_category = 'high') as households_high,
    count(*) filter (where risk_category = 'medium') as households_medium,
    count(*) filter (where risk_category = 'low') as households_low,
    count(is_measured_vulnerable) as households_measured,
    count(*) filter (where is_measured_vulnerable) as households_measured_vulnerable,
    avg(measured_income_usd_per_day::numeric)::double precision as mean_income_usd_per_day,
    {{ usd_to_ugx('avg(measured_income_usd_per_day::numeric)') }} as mean_income_ugx_per_day
{%- endmacro %}
