{# The rules of the household survey that read a row alone. #}
{% macro evaluated_rules() %}
    {% do return(household_survey_rules() | selectattr('stage', 'equalto', 'evaluated') | list) %}
{% endmacro %}


{# Hash of the list of rules by which rows are evaluated. While dbt parses, the contract is not known yet: ask for it
   where SQL is written or run. #}
{% macro rule_set() %}
    {% do return(local_md5(tojson(evaluated_rules(), sort_keys=true))) %}
{% endmacro %}


{# Delete what was evaluated by another list of rules than today's, for it is evaluated anew. #}
{% macro forget_other_rule_sets() -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where rule_set <> '{{ rule_set() }}'
    {%- endif -%}
{%- endmacro %}
