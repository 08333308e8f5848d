{# Delete what was evaluated by another list of rules than today's, for it is evaluated anew. #}
{% macro forget_other_rule_sets(rule_set) -%}
    {%- if execute and is_incremental() -%}
        delete from {{ this }}
        where rule_set <> '{{ rule_set }}'
    {%- endif -%}
{%- endmacro %}
