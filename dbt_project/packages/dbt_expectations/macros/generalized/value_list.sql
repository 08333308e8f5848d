{# Members cast to text make a numeric column an error, not a silent mismatch. A null matches nothing. #}
{% macro value_list(value_set, quote_values=true) %}
    {{ dbt_expectations.require(value_set, "value_set is empty: list at least one value.") }}
    {% set members = [] %}
    {% for value in value_set or [] %}
        {% if value is none %}
            {% do members.append("null") %}
        {% elif quote_values %}
            {% do members.append("cast(" ~ dbt_expectations.text_literal(value) ~ " as text)") %}
        {% else %}
            {% do members.append(value | string) %}
        {% endif %}
    {% endfor %}
    {{ return(members) }}
{% endmacro %}


{% macro text_literal(value) %}
    {{ return("'" ~ (value | string | replace("'", "''")) ~ "'") }}
{% endmacro %}
