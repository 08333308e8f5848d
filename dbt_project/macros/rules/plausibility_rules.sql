{# What a household can hardly have answered, inside the ranges of the contract. #}
{% macro plausibility_rules() %}
    {% do return([
        limit_rule('household_size_implausible', 'household_size', 20, 'people in the household'),
        limit_rule('land_implausible', 'agricultural_land_acres', 50, 'acres of land'),
        limit_rule('radios_implausible', 'radios_owned', 10, 'radios'),
        limit_rule('phones_implausible', 'phones_owned', 10, 'phones'),
        limit_rule('businesses_implausible', 'business_count', 10, 'businesses'),
        limit_rule('minutes_to_water_implausible', 'minutes_to_water', 240, 'minutes to the water source'),
        limit_rule('minutes_to_outpatient_care_implausible', 'minutes_to_outpatient_care', 600, 'minutes to care'),
        limit_rule('assets_implausible', 'assets_usd', 20000, 'dollars of assets'),
        limit_rule('income_per_day_implausible', 'income_consumption_residues_per_day', 50, 'dollars a day'),
        rule(
            'daily_meals_implausible', 'validity', 'flag', ['daily_meals'],
            predicate='daily_meals = 0',
            message='the household eats no meal on a usual day',
        ),
        rule(
            'composting_unknown_code', 'validity', 'flag', ['composting'],
            predicate='composting not in (0, 0.5, 1)',
            message='composting is none of 0, 0.5, 1',
        ),
        rule(
            'harvest_per_acre_implausible', 'validity', 'flag', ['agricultural_value', 'agricultural_land_acres'],
            predicate='agricultural_value > 20000 * agricultural_land_acres and agricultural_land_acres > 0',
            message='an acre gave a harvest of more than 20000 dollars',
        ),
        rule(
            'livelihood_missing', 'validity', 'flag', ['income_consumption_residues'],
            predicate='income_consumption_residues = 0',
            message='the household earned and grew nothing in a year',
        ),
    ]) %}
{% endmacro %}


{# An answer above what is believed without a second look. #}
{% macro limit_rule(id, column, limit, words) %}
    {% do return(rule(
        id, 'validity', 'flag', [column],
        predicate=column ~ ' > ' ~ limit,
        message='more than ' ~ limit ~ ' ' ~ words,
    )) %}
{% endmacro %}
