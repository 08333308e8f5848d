{# Every row rule of the household survey: {id, columns, dimension, severity, predicate, message}.
   `predicate` is true when the row is bad and is written over the columns of the evaluated submissions.
   A row that breaks a `reject` rule goes to quarantine; a `flag` stays with the released row. #}
{% macro household_survey_rules() %}
    {% set rules = contract_rules('household_survey') %}
    {% do rules.extend([
        {
            'id': 'identifier_collision', 'columns': ['household_id'], 'dimension': 'uniqueness', 'severity': 'reject',
            'predicate': 'is_identifier_contested',
            'message': 'household_id stands on several different rows of the same file',
        },
        {
            'id': 'consent_refused', 'columns': ['consent'], 'dimension': 'validity', 'severity': 'reject',
            'predicate': "consent is false or 'consent' = any(cast_error_columns)",
            'message': 'the respondent did not consent, or the answer cannot be read',
        },
        {
            'id': 'survey_date_in_future', 'columns': ['survey_date'], 'dimension': 'timeliness', 'severity': 'reject',
            'predicate': "survey_date > (received_at at time zone 'utc')::date + 1",
            'message': 'survey_date lies after the day it was received',
        },
        {
            'id': 'uncastable_value', 'columns': ['cast_error_columns'], 'dimension': 'validity', 'severity': 'flag',
            'predicate': 'cardinality(cast_error_columns) > 0',
            'message': 'a value is not of its field\'s type and was set aside',
        },
        {
            'id': 'village_missing', 'columns': ['village'], 'dimension': 'completeness', 'severity': 'flag',
            'predicate': 'village is null',
            'message': 'village is blank',
        },
        {
            'id': 'land_implausible', 'columns': ['agricultural_land_acres'], 'dimension': 'validity', 'severity': 'flag',
            'predicate': 'agricultural_land_acres > 50',
            'message': 'more than 50 acres of land',
        },
        {
            'id': 'radios_implausible', 'columns': ['radios_owned'], 'dimension': 'validity', 'severity': 'flag',
            'predicate': 'radios_owned > 10',
            'message': 'more than 10 radios',
        },
        {
            'id': 'household_size_implausible', 'columns': ['household_size'], 'dimension': 'validity', 'severity': 'flag',
            'predicate': 'household_size > 20',
            'message': 'more than 20 people in the household',
        },
    ]) %}
    {% do rules.extend([
        sum_rule('vegetable_income', ['season1_vegetable_income', 'season2_vegetable_income']),
        sum_rule('vegetable_value', ['season1_vegetable_value', 'season2_vegetable_value']),
        sum_rule('seasonal_crop_income', ['season1_crop_income', 'season2_crop_income']),
        sum_rule('seasonal_agricultural_value', ['season1_agricultural_value', 'season2_agricultural_value']),
        sum_rule('agricultural_value', ['seasonal_agricultural_value', 'perennial_agricultural_value']),
        sum_rule('income_consumption_residues', ['household_income', 'consumption_and_residues']),
        sum_rule('household_income', [
            'formal_employment_income', 'self_employment_income', 'casual_labour_income', 'remittances_and_gifts',
            'rent_income', 'seasonal_crop_income', 'perennial_crop_income', 'livestock_income',
        ]),
    ]) %}
    {% do return(rules) %}
{% endmacro %}


{# The rules that the contract itself implies: required fields, code lists, ranges. #}
{% macro contract_rules(form) %}
    {% set rules = [] %}
    {% for field in contract_fields(form) %}
        {% if field.required %}
            {% do rules.append({
                'id': field.name ~ '_required', 'columns': [field.name], 'dimension': 'completeness', 'severity': 'reject',
                'predicate': field.name ~ ' is null', 'message': field.name ~ ' is blank or unreadable',
            }) %}
        {% endif %}
        {% if field.codes %}
            {% do rules.append({
                'id': field.name ~ '_unknown_code', 'columns': [field.name], 'dimension': 'validity', 'severity': 'flag',
                'predicate': field.name ~ " not in ('" ~ field.codes | join("', '") ~ "')",
                'message': field.name ~ ' is none of ' ~ field.codes | join(', '),
            }) %}
        {% endif %}
        {% if field.range %}
            {% do rules.append({
                'id': field.name ~ '_out_of_range', 'columns': [field.name], 'dimension': 'validity', 'severity': 'reject',
                'predicate': field.name ~ ' not between ' ~ field.range[0] ~ ' and ' ~ field.range[1],
                'message': field.name ~ ' is not between ' ~ field.range[0] ~ ' and ' ~ field.range[1],
            }) %}
        {% endif %}
    {% endfor %}
    {% do return(rules) %}
{% endmacro %}


{# A total that must be the sum of its parts, to a cent; silent where one of them is blank. #}
{% macro sum_rule(total, parts) %}
    {% do return({
        'id': total ~ '_sum', 'columns': [total] + parts, 'dimension': 'consistency', 'severity': 'flag',
        'predicate': 'abs(' ~ total ~ ' - (' ~ parts | join(' + ') ~ ')) > 0.01',
        'message': total ~ ' is not the sum of ' ~ parts | join(', '),
    }) %}
{% endmacro %}
