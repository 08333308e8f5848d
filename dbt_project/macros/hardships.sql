{# Hardships that a visitor can see, without any figure of money: {id, times_as_common, condition, words}.
   `condition` is written over fct_household_features. `times_as_common` is the share of vulnerable households that
   bear the hardship over the share of the others, measured on the 2,722 released households of the survey of Kanungu,
   Mitooma, Rubanda and Rukungiri; the most telling hardship stands first. It says what goes along with a low income,
   not what causes it. #}
{% macro hardships() %}
    {% do return([
        {
            'id': 'few_crops', 'times_as_common': 4.83, 'condition': 'crops_planted_total <= 3',
            'words': 'three crops or fewer in the year',
        },
        {
            'id': 'no_perennial_crops', 'times_as_common': 4.42, 'condition': 'not has_perennial_cropping',
            'words': 'no perennial crops',
        },
        {
            'id': 'little_land', 'times_as_common': 2.09, 'condition': 'agricultural_land_acres < 0.5',
            'words': 'less than half an acre of land',
        },
        {
            'id': 'one_meal', 'times_as_common': 1.83, 'condition': 'daily_meals <= 1',
            'words': 'one meal a day or none',
        },
        {
            'id': 'no_latrine', 'times_as_common': 1.53, 'condition': 'not has_latrine',
            'words': 'no latrine',
        },
        {
            'id': 'no_kitchen', 'times_as_common': 1.40, 'condition': 'not has_kitchen',
            'words': 'no kitchen',
        },
        {
            'id': 'no_bathroom', 'times_as_common': 1.38, 'condition': 'not has_bathroom',
            'words': 'no bathroom',
        },
        {
            'id': 'head_cannot_read', 'times_as_common': 1.33, 'condition': 'not head_literate',
            'words': 'head of the household cannot read and write',
        },
        {
            'id': 'no_radio', 'times_as_common': 1.32, 'condition': 'radios_owned = 0',
            'words': 'no radio',
        },
        {
            'id': 'no_composting', 'times_as_common': 1.28, 'condition': 'composting = 0',
            'words': 'no composting',
        },
        {
            'id': 'no_business', 'times_as_common': 1.25, 'condition': 'business_count = 0',
            'words': 'no business of its own',
        },
        {
            'id': 'no_phone', 'times_as_common': 1.17, 'condition': 'phones_owned = 0',
            'words': 'no phone',
        },
        {
            'id': 'no_savings_group', 'times_as_common': 1.16, 'condition': 'not in_savings_group',
            'words': 'nobody in a savings group',
        },
        {
            'id': 'no_salary', 'times_as_common': 1.12, 'condition': 'salaried_workers = 0',
            'words': 'nobody with salaried work',
        },
        {
            'id': 'far_from_water', 'times_as_common': 1.11, 'condition': 'minutes_to_water > 30',
            'words': 'more than 30 minutes to water',
        },
    ]) %}
{% endmacro %}


{# The first three hardships that hold, in words. #}
{% macro top_hardships() -%}
    (
        array_remove(
            array[
                {% for hardship in hardships() | sort(attribute='times_as_common', reverse=true) %}
                    case when {{ hardship.condition }} then '{{ hardship.words }}' end
                    {{- ',' if not loop.last }}
                {% endfor %}
            ]::text[],
            null
        )
    )[1:3]
{%- endmacro %}
