{# Uganda shillings for one US dollar: the one rate at which the survey's own figures were converted. #}
{% macro ugx_per_usd() %}4463.18{% endmacro %}


{# Dollars in whole shillings. #}
{% macro usd_to_ugx(amount) -%}
    round(({{ amount }})::numeric * {{ ugx_per_usd() }})::bigint
{%- endmacro %}
