{# Who the household is, and whether it agreed. An identifier of another shape is only doubtful: new districts bring
   their own. #}
{% macro identity_rules() %}
    {% do return([
        rule(
            'identifier_collision', 'uniqueness', 'reject', ['household_id'],
            predicate='is_identifier_contested',
            message='household_id stands on several different rows of the same upload',
            stage='judged',
        ),
        rule(
            'household_id_format', 'validity', 'flag', ['household_id'],
            predicate="household_id !~ '^[A-Z]{3}-[0-9]{3,5}-[A-Z]{3}-[0-9]{1,4}$'",
            message='household_id is not shaped DDD-VVV-XXX-K',
        ),
        rule(
            'household_id_other_district', 'consistency', 'flag', ['household_id', 'district'],
            applies_when="household_id like '___-%' and district is not null",
            predicate='left(household_id, 3) <> upper(left(district, 3))',
            message='household_id begins with another district',
        ),
        rule(
            'consent_refused', 'validity', 'reject', ['consent'],
            applies_when='true',
            predicate="consent is false or 'consent' = any(cast_error_columns)",
            message='the respondent did not consent, or the answer cannot be read',
        ),
        rule(
            'consent_withdrawn', 'validity', 'reject', ['consent'],
            applies_when='true',
            predicate='is_consent_withdrawn',
            message='the household said later that it does not consent',
            stage='judged',
        ),
        rule(
            'consent_missing', 'validity', 'flag', ['consent'],
            applies_when='num_nonnulls(respondent_name, phone_number, latitude, longitude) > 0',
            predicate='consent is null',
            message='the respondent can be recognised, and nobody recorded a consent',
        ),
        rule(
            'phone_number_format', 'validity', 'flag', ['phone_number'],
            predicate="phone_number !~ '^(personal:[a-p]{32}|[+]?[0-9][0-9 -]{7,18})$'",
            message='phone_number is no telephone number',
        ),
    ]) %}
{% endmacro %}
