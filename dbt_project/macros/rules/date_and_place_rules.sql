{# When and where the interview was. A device without the time writes 1970 or its maker's first day, and the round
   would follow it. The survey is yearly: what arrives after a year belongs to a round that is over. #}
{% macro date_and_place_rules() %}
    {% set year_before = "to_char(survey_date - interval '1 year', 'YYYY')" %}
    {% set year_after = "to_char(survey_date + interval '1 year', 'YYYY')" %}
    {% do return([
        rule(
            'survey_date_in_future', 'timeliness', 'reject', ['survey_date'],
            predicate="survey_date > (received_at at time zone 'utc')::date + 1",
            message='survey_date lies after the day it was received',
        ),
        rule(
            'survey_date_too_early', 'validity', 'reject', ['survey_date'],
            predicate="survey_date < date '2000-01-01'",
            message='survey_date lies before 2000',
        ),
        rule(
            'survey_received_late', 'timeliness', 'flag', ['survey_date'],
            predicate="(received_at at time zone 'utc')::date - survey_date > 365",
            message='the survey arrived more than a year after its interview',
        ),
        rule(
            'survey_round_other_year', 'consistency', 'flag', ['survey_round', 'survey_date'],
            applies_when="survey_round ~ '^[0-9]{4}$' and survey_date is not null",
            predicate="survey_round not in (" ~ year_before ~ ", to_char(survey_date, 'YYYY'), " ~ year_after ~ ')',
            message='survey_round is more than a year away from survey_date',
        ),
        rule(
            'coordinates_incomplete', 'completeness', 'flag', ['latitude', 'longitude'],
            applies_when='num_nonnulls(latitude, longitude) > 0',
            predicate='num_nulls(latitude, longitude) > 0',
            message='one of latitude and longitude is blank',
        ),
        rule(
            'coordinates_outside_uganda', 'validity', 'flag', ['latitude', 'longitude'],
            predicate='latitude not between -1.6 and 4.4 or longitude not between 29.4 and 35.1',
            message='latitude and longitude lie outside Uganda',
        ),
    ]) %}
{% endmacro %}
