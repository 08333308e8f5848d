{# The rules that a contract itself implies: required fields, code lists, ranges, types. #}
{% macro contract_rules(form) %}
    {% set fields = contract_fields(form) %}
    {% set rules = [] %}
    {% for field in fields %}
        {% if field.required %}
            {% do rules.append(rule(
                field.name ~ '_required', 'completeness', 'reject', [field.name],
                predicate=field.name ~ ' is null',
                message=field.name ~ ' is blank or unreadable',
            )) %}
        {% endif %}
        {% if field.codes %}
            {% do rules.append(rule(
                field.name ~ '_unknown_code', 'validity', 'flag', [field.name],
                predicate=field.name ~ " not in ('" ~ field.codes | join("', '") ~ "')",
                message=field.name ~ ' is none of ' ~ field.codes | join(', '),
            )) %}
        {% endif %}
        {% if field.range %}
            {% set range = field.range[0] ~ ' and ' ~ field.range[1] %}
            {% do rules.append(rule(
                field.name ~ '_out_of_range', 'validity', 'reject', [field.name],
                predicate=field.name ~ ' not between ' ~ range,
                message=field.name ~ ' is not between ' ~ range,
            )) %}
        {% endif %}
    {% endfor %}
    {% do return(rules + type_rules(fields)) %}
{% endmacro %}


{# A rule for each type of field: staging sets a value aside that is not of its type. #}
{% macro type_rules(fields) %}
    {% set words = {
        'integer': 'a whole number', 'numeric': 'a number', 'boolean': 'yes or no', 'date': 'a date',
        'multi-code': 'a list of codes',
    } %}
    {% set rules = [] %}
    {% for type, expected in words.items() %}
        {% set columns = fields | selectattr('type', 'equalto', type) | map(attribute='name') | list %}
        {% if columns %}
            {% do rules.append(rule(
                type | replace('-', '_') ~ '_unreadable', 'validity', 'flag', columns,
                applies_when='true',
                predicate="cardinality(cast_error_columns) > 0 and cast_error_columns && array['"
                    ~ columns | join("', '") ~ "']",
                message='a value is not ' ~ expected ~ ' and was set aside',
            )) %}
        {% endif %}
    {% endfor %}
    {% do return(rules) %}
{% endmacro %}
