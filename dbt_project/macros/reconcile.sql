{# The incremental strategy `reconcile`: make a table the same as what its model says, and write only what differs.
   A model says the whole state, or, with `config.meta.current_in` {model, column, where}, only the rows that differ;
   rows whose column is not found in that other model any more are of the past. Keys are unique and not null. #}
{% macro get_incremental_reconcile_sql(arguments) %}
    {%- set target = arguments.target_relation -%}
    {%- set stated = arguments.temp_relation -%}
    {%- set key = arguments.unique_key -%}
    {%- set names = arguments.dest_columns | map(attribute='quoted') | list -%}
    {%- set current = config.get('meta', {}).get('current_in') -%}
    analyze {{ stated }};

    delete from {{ target }} as standing
    where
        {% if current -%}
            not exists (
                select 1
                from {{ ref(current.model) }} as present
                where present.{{ current.column }} = standing.{{ current.column }} and {{ current.where or 'true' }}
            )
            or exists (select 1 from {{ stated }} as stated where stated.{{ key }} = standing.{{ key }});
        {%- else -%}
            not exists (
                select 1
                from {{ stated }} as stated
                where
                    stated.{{ key }} = standing.{{ key }}
                    and (stated.{{ names | join(', stated.') }})
                    is not distinct from (standing.{{ names | join(', standing.') }})
            );
        {%- endif %}

    insert into {{ target }} ({{ names | join(', ') }})
    select {{ names | join(', ') }}
    from {{ stated }} as stated
    where not exists (select 1 from {{ target }} as standing where standing.{{ key }} = stated.{{ key }});
{% endmacro %}
