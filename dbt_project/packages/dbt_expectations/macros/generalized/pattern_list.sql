{% macro joined_matches(matches, match_on) %}
    {% set operators = {"any": ") or (", "all": ") and ("} %}
    {{ dbt_expectations.require(matches, "the list of patterns is empty: list at least one.") }}
    {{ dbt_expectations.require(
        match_on in operators,
        "match_on is " ~ match_on ~ ": use any or all.",
    ) }}
    {{ return("(" ~ matches | join(operators.get(match_on, ") or (")) ~ ")") }}
{% endmacro %}


{% macro like_matches(column_name, like_pattern_list, operator="like") %}
    {% set matches = [] %}
    {% for like_pattern in like_pattern_list or [] %}
        {% do matches.append(column_name ~ " " ~ operator ~ " " ~ dbt_expectations.text_literal(like_pattern)) %}
    {% endfor %}
    {{ return(matches) }}
{% endmacro %}


{% macro regex_matches(column_name, regex_list, flags="", prefix="") %}
    {% set matches = [] %}
    {% for regex in regex_list or [] %}
        {% do matches.append(prefix ~ dbt_expectations.regex_match(column_name, regex, flags)) %}
    {% endfor %}
    {{ return(matches) }}
{% endmacro %}
