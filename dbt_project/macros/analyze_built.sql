{# Tell the planner what a new table holds, or one that grew by a tenth; autovacuum sees to what changes little by little.
   A view has nothing to tell. #}
{% macro analyze_built() -%}
    {%- if config.get('materialized') != 'view' and (not is_incremental() or wants_analyze(this)) -%}
        analyze {{ this }}
    {%- endif -%}
{%- endmacro %}


{# Whether a table was never analyzed, or has grown by a tenth since it was. #}
{% macro wants_analyze(relation) %}
    {% set wanting = run_query(
        "select 1 from pg_class where oid = to_regclass('" ~ relation ~ "') and ("
        ~ "pg_stat_get_analyze_count(oid) + pg_stat_get_autoanalyze_count(oid) = 0"
        ~ " or pg_relation_size(oid) > 1.1 * relpages * current_setting('block_size')::integer)"
    ) %}
    {% do return(wanting | length > 0) %}
{% endmacro %}
