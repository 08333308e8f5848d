{# Tell the planner what a new table holds; a view has nothing to tell. #}
{% macro analyze_built() -%}
    {%- if config.get('materialized') != 'view' -%}
        analyze {{ this }}
    {%- endif -%}
{%- endmacro %}
