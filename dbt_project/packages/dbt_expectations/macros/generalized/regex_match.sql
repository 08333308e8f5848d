{# Flag g asks for every match; whether there is one does not depend on it, and regexp_like refuses it. #}
{% macro regex_match(column_name, regex, flags="") %}
    {% set unknown = flags | reject("in", "bcegimnpqstwx") | join %}
    {{ dbt_expectations.require(
        not unknown,
        "regular expression flags " ~ unknown ~ " are unknown: PostgreSQL has bcegimnpqstwx.",
    ) }}
    {% set arguments = [
        column_name,
        dbt_expectations.text_literal(regex),
        dbt_expectations.text_literal(flags | replace("g", "")),
    ] %}
    {{ return("regexp_like(" ~ arguments | join(", ") ~ ")") }}
{% endmacro %}
