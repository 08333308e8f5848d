{# The rules of some forms as rows. #}
{% macro rules_relation(forms) -%}
    select
        form,
        rule_id,
        dimension,
        severity,
        stage,
        field_names,
        condition,
        predicate,
        message
    from (
        values
        {% for form in forms %}
            {% set outer = loop %}
            {% for rule in form_rules(form) %}
                {% set words = [
                    form, rule.id, rule.dimension, rule.severity, rule.stage, rule.applies_when, rule.predicate,
                    rule.message,
                ] %}
                ({{ quote_words(words) }}, array[{{ quote_words(rule['columns']) }}])
                {{- ',' if not (loop.last and outer.last) }}
            {% endfor %}
        {% endfor %}
    ) as listed (form, rule_id, dimension, severity, stage, condition, predicate, message, field_names)
{%- endmacro %}


{# Words as literals of SQL, parted by commas. #}
{% macro quote_words(words) -%}
    {%- for word in words -%}
        '{{ word | replace("'", "''") }}'{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
