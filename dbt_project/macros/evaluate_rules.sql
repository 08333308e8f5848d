{# The ids of the rules of one severity that a row breaks, as an array: one pass whatever the number of rules. What a
   `reject` rule cannot decide breaks it; what a `flag` cannot decide does not. #}
{% macro broken_rules(rules, severity) -%}
    array_remove(
        array[
            {% for rule in rules if rule.severity == severity %}
                case
                    when ({{ rule.applies_when }}) and ({{ rule.predicate }})
                        {{- ' is not false' if severity == 'reject' }} then '{{ rule.id }}'
                end,
            {% endfor %}
            null
        ]::text[],
        null
    )
{%- endmacro %}


{# How many rules of a dimension, any but completeness, have something to say of a row. Those that only ask for a
   filled column are counted at once. #}
{% macro count_checked(rules, dimension) -%}
    {%- set filled = ['null'] -%}
    {%- set always = [] -%}
    {%- for rule in rules if rule.dimension == dimension -%}
        {%- if rule.applies_when == 'true' -%}
            {%- do always.append(rule) -%}
        {%- elif rule.applies_when == rule['columns'][0] ~ ' is not null' -%}
            {%- do filled.append(rule['columns'][0]) -%}
        {%- else %}
            coalesce(({{ rule.applies_when }})::integer, 0) +
        {%- endif -%}
    {%- endfor %}
    {{ always | length }} + num_nonnulls({{ filled | join(', ') }})
{%- endmacro %}


{# How many answers the rules of completeness ask a row for; with `filled`, how many of those it has. #}
{% macro count_owed(rules, filled=false) -%}
    {%- for rule in rules if rule.dimension == 'completeness' %}
        {%- set owed = 'num_nonnulls(' ~ rule['columns'] | join(', ') ~ ')' if filled else rule['columns'] | length %}
        {{ owed if rule.applies_when == 'true' else 'case when ' ~ rule.applies_when ~ ' then ' ~ owed ~ ' else 0 end' }}
        {{- ' +' if not loop.last }}
    {%- endfor %}
{%- endmacro %}


{# How many of the broken rules of a row, an array, are of a dimension. #}
{% macro count_broken(rules, dimension, broken) -%}
    {%- set ids = rules | selectattr('dimension', 'equalto', dimension) | map(attribute='id') | join("', '") -%}
    case
        when {{ broken }} = '{}' then 0
        else cardinality(
            array(
                select unnest({{ broken }})
                intersect
                select unnest(array['{{ ids }}'])
            )
        )
    end
{%- endmacro %}
