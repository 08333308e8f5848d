{# The ids of the rules of one severity that a row breaks, as an array: one pass whatever the number of rules. #}
{% macro broken_rules(rules, severity) -%}
    array_remove(
        array[
            {% for rule in rules if rule.severity == severity %}
                case when ({{ rule.predicate }}) then '{{ rule.id }}' end,
            {% endfor %}
            null
        ]::text[],
        null
    )
{%- endmacro %}


{# The rules as rows: rule_id, dimension, severity, columns, message. #}
{% macro rules_relation(rules) -%}
    select
        rule_id,
        dimension,
        severity,
        field_names,
        message
    from (
        values
        {% for rule in rules %}
            (
                '{{ rule.id }}',
                '{{ rule.dimension }}',
                '{{ rule.severity }}',
                array['{{ rule.columns | join("', '") }}'],
                '{{ rule.message | replace("'", "''") }}'
            ){{ ',' if not loop.last }}
        {% else %}
            ('', '', '', array[''], '')
        {% endfor %}
    ) as listed (rule_id, dimension, severity, field_names, message)
{%- endmacro %}
