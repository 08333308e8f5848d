{# The contract of a form, as its source definition lists it, envelope columns left out: a list of
   {name, type, range, codes, missing_codes, required, casing, pii}. Empty while dbt only parses. #}
{% macro contract_fields(form) %}
    {% set fields = [] %}
    {% set types = {'integer': 'integer', 'double precision': 'numeric', 'boolean': 'boolean', 'date': 'date'} %}
    {% if execute %}
        {% for node in raw_forms() if node.source_name == form %}
            {% for column in node.columns.values() if not column.config.meta.get('envelope') %}
                {% set meta = column.config.meta %}
                {% do fields.append({
                    'name': column.name,
                    'type': meta.get('type', types.get(column.data_type, 'text')),
                    'range': meta.get('range'),
                    'codes': meta.get('codes'),
                    'missing_codes': meta.get('missing_codes', []),
                    'required': meta.get('required', false),
                    'casing': meta.get('casing'),
                    'pii': meta.get('pii', false),
                }) %}
            {% endfor %}
        {% endfor %}
    {% endif %}
    {% do return(fields) %}
{% endmacro %}


{# The names of a form's fields, those in `except` left out. #}
{% macro contract_field_names(form, except=[]) %}
    {% do return(contract_fields(form) | map(attribute='name') | reject('in', except) | list) %}
{% endmacro %}


{# The raw tables of all forms, as nodes of the graph: each is the table `submissions` of the source that bears the
   form's name. Empty while dbt only parses. #}
{% macro raw_forms() %}
    {% do return(graph.sources.values() | selectattr('name', 'equalto', 'submissions') | list if execute else []) %}
{% endmacro %}
