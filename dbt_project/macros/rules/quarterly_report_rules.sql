{# Every row rule of the quarterly report, see `rule`. #}
{% macro quarterly_report_rules() %}
    {% do return(contract_rules('quarterly_report') + [
        rule(
            'women_reached_above_people', 'consistency', 'flag', ['women_reached', 'people_reached'],
            predicate='women_reached > people_reached',
            message='women_reached is above people_reached',
        ),
        rule(
            'households_visited_above_village', 'consistency', 'flag', ['households_visited', 'households_in_village'],
            predicate='households_visited > households_in_village',
            message='households_visited is above households_in_village',
        ),
        rule(
            'report_date_in_future', 'timeliness', 'reject', ['report_date'],
            predicate="report_date > (received_at at time zone 'utc')::date + 1",
            message='report_date lies after the day it was received',
        ),
    ]) %}
{% endmacro %}
