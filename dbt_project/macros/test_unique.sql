{# The test `unique`. What PostgreSQL keeps unique by an index needs no reading of the whole table. #}
{% test unique(model, column_name) %}
    {%- if execute and has_unique_index(model, column_name) %}
        select 1 as is_repeated
        where false
    {%- else %}
        {{ default__test_unique(model, column_name) }}
    {%- endif %}
{% endtest %}


{# Whether a valid unique index stands over this one column of a relation. False for a view, or under a `where`. #}
{% macro has_unique_index(relation, column_name) %}
    {% if relation is string %}
        {% do return(false) %}
    {% endif %}
    {% set indexes = run_query(
        "select 1 from pg_index inner join pg_attribute on pg_index.indrelid = pg_attribute.attrelid"
        ~ " where pg_index.indrelid = to_regclass('" ~ relation ~ "') and pg_attribute.attname = '" ~ column_name ~ "'"
        ~ " and pg_index.indkey::text = pg_attribute.attnum::text and pg_index.indisunique and pg_index.indisvalid"
        ~ " and pg_index.indpred is null and pg_index.indnullsnotdistinct is not true"
    ) %}
    {% do return(indexes | length > 0) %}
{% endmacro %}
