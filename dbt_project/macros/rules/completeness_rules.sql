{# Answers that a survey owes once it has come so far. A part of the form that nobody began is no fault, nor is a
   blank that stands for none: fertilizer, pesticide, loans, diseases. #}
{% macro completeness_rules() %}
    {% set income_parts = [
        'formal_employment_income', 'self_employment_income', 'casual_labour_income', 'remittances_and_gifts',
        'rent_income', 'season1_crop_income', 'season2_crop_income', 'perennial_crop_income', 'livestock_income',
        'season1_agricultural_value', 'season2_agricultural_value', 'perennial_agricultural_value',
        'livestock_consumed_value',
    ] %}
    {% set indicators = [
        'minutes_to_outpatient_care', 'minutes_to_water', 'head_sex', 'head_literate', 'wall_material', 'radios_owned',
        'has_casual_work', 'in_savings_group', 'has_perennial_cropping', 'daily_meals', 'has_latrine', 'has_kitchen',
        'composting', 'has_postharvest_storage',
    ] %}
    {% do return([
        rule(
            'village_missing', 'completeness', 'flag', ['village'],
            predicate='village is null',
            message='village is blank',
        ),
        rule(
            'survey_mostly_blank', 'completeness', 'flag', indicators,
            applies_when='num_nonnulls(' ~ indicators | join(', ') ~ ') > 0',
            predicate='num_nonnulls(' ~ indicators | join(', ') ~ ') < ' ~ indicators | length // 2,
            message='fewer than half of the indicators that every household is asked for are answered',
        ),
        rule(
            'income_per_day_missing', 'completeness', 'flag', ['income_consumption_residues_per_day'],
            applies_when='num_nonnulls(' ~ income_parts | join(', ') ~ ') > 0',
            predicate='income_consumption_residues_per_day is null',
            message='the income module has answers but no total per day',
        ),
        begun_rule('income_module_incomplete', income_parts),
        begun_rule('head_incomplete', ['head_sex', 'head_literate']),
        begun_rule('access_incomplete', ['minutes_to_outpatient_care', 'minutes_to_water']),
        begun_rule('crops_incomplete', [
            'season1_crops_planted', 'season2_crops_planted', 'perennial_crops_grown', 'has_perennial_cropping',
        ]),
        begun_rule('farming_incomplete', [
            'composting', 'applies_liquid_manure', 'practises_water_control', 'practises_soil_management',
            'has_postharvest_storage',
        ]),
        begun_rule('home_incomplete', [
            'has_latrine', 'has_tippy_tap', 'has_soap_or_ash', 'has_hangline', 'has_kitchen', 'has_bathroom',
            'has_swept_compound', 'has_dish_rack', 'manages_non_bio_waste',
        ]),
        begun_rule('vsla_profits_incomplete', ['vsla_profits_ugx', 'vsla_profits_usd']),
        begun_rule('assets_incomplete', ['assets_ugx', 'assets_usd']),
    ]) %}
{% endmacro %}


{# A part of the form that was begun must be answered to its end. #}
{% macro begun_rule(id, columns) %}
    {% do return(rule(
        id, 'completeness', 'flag', columns,
        applies_when='num_nonnulls(' ~ columns | join(', ') ~ ') > 0',
        predicate='num_nulls(' ~ columns | join(', ') ~ ') > 0',
        message='some of these are answered and some are blank: ' ~ columns | join(', '),
    )) %}
{% endmacro %}
