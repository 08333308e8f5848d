{# The arithmetic of the income module. Amounts may differ by five cents, which is what rounding each part to a cent
   comes to. The two rules of the target reject, for a household's status is read off it: they let a dollar a year and
   a cent a day pass, so that only a wrong figure breaks them and never a rounded one. #}
{% macro money_rules() %}
    {% do return([
        sum_rule('vegetable_income', ['season1_vegetable_income', 'season2_vegetable_income']),
        sum_rule('vegetable_value', ['season1_vegetable_value', 'season2_vegetable_value']),
        sum_rule('seasonal_crop_income', ['season1_crop_income', 'season2_crop_income']),
        sum_rule('seasonal_agricultural_value', ['season1_agricultural_value', 'season2_agricultural_value']),
        sum_rule('agricultural_value', ['seasonal_agricultural_value', 'perennial_agricultural_value']),
        sum_rule('household_income', [
            'formal_employment_income', 'self_employment_income', 'casual_labour_income', 'remittances_and_gifts',
            'rent_income', 'seasonal_crop_income', 'perennial_crop_income', 'livestock_income',
        ]),
        sum_rule(
            'consumption_and_residues',
            ['agricultural_value', 'livestock_consumed_value'],
            less=['seasonal_crop_income', 'perennial_crop_income', 'livestock_income'],
        ),
        sum_rule(
            'income_consumption_residues',
            ['household_income', 'consumption_and_residues'],
            severity='reject',
            tolerance=1,
        ),
        sum_rule(
            'income_consumption_assets_residues', ['income_consumption_residues', 'livestock_asset_value']
        ),
        per_day_rule('household_income_per_day', 'household_income'),
        per_day_rule('consumption_per_day', 'consumption_and_residues'),
        per_day_rule('income_consumption_residues_per_day', 'income_consumption_residues', severity='reject'),
        per_day_rule('income_consumption_assets_residues_per_day', 'income_consumption_assets_residues'),
        exchange_rule('vsla_profits_usd', 'vsla_profits_ugx'),
        exchange_rule('assets_usd', 'assets_ugx'),
        sold_rule('season1_vegetable_income', 'season1_vegetable_value'),
        sold_rule('season2_vegetable_income', 'season2_vegetable_value'),
        sold_rule('season1_crop_income', 'season1_agricultural_value'),
        sold_rule('season2_crop_income', 'season2_agricultural_value'),
        sold_rule('perennial_crop_income', 'perennial_agricultural_value'),
        parts_rule('household_income', [
            'formal_employment_income', 'self_employment_income', 'casual_labour_income', 'remittances_and_gifts',
            'rent_income', 'seasonal_crop_income', 'perennial_crop_income', 'livestock_income',
        ]),
        parts_rule('agricultural_value', [
            'season1_agricultural_value', 'season2_agricultural_value', 'perennial_agricultural_value',
        ]),
    ]) %}
{% endmacro %}


{# A total that must be the sum of its parts, those in `less` taken away. #}
{% macro sum_rule(total, parts, less=[], severity='flag', tolerance=0.05) %}
    {% set taken = ' - ' ~ less | join(' - ') if less else '' %}
    {% do return(rule(
        total ~ '_sum', 'consistency', severity, [total] + parts + less,
        predicate='abs(' ~ total ~ ' - (' ~ parts | join(' + ') ~ taken ~ ')) > ' ~ tolerance,
        message=total ~ ' is not ' ~ parts | join(' + ') ~ taken,
    )) %}
{% endmacro %}


{# An amount a day that must be the amount a year over 365. #}
{% macro per_day_rule(per_day, per_year, severity='flag') %}
    {% do return(rule(
        per_day ~ '_rate', 'consistency', severity, [per_day, per_year],
        predicate='abs(' ~ per_day ~ ' - ' ~ per_year ~ ' / 365) > 0.01',
        message=per_day ~ ' is not ' ~ per_year ~ ' / 365',
    )) %}
{% endmacro %}


{# An amount in dollars that must be the one in shillings at the one rate; half a per cent is a rounded rate. #}
{% macro exchange_rule(usd, ugx) %}
    {% do return(rule(
        usd ~ '_exchange', 'consistency', 'flag', [usd, ugx],
        predicate='abs(' ~ usd ~ ' - ' ~ ugx ~ ' / ' ~ ugx_per_usd() ~ ') > 0.05 + 0.005 * ' ~ usd,
        message=usd ~ ' is not ' ~ ugx ~ ' / ' ~ ugx_per_usd(),
    )) %}
{% endmacro %}


{# Nobody sells more than was harvested. #}
{% macro sold_rule(income, value) %}
    {% do return(rule(
        income ~ '_above_harvest', 'consistency', 'flag', [income, value],
        predicate=income ~ ' > ' ~ value ~ ' + 0.05',
        message=income ~ ' is above ' ~ value,
    )) %}
{% endmacro %}


{# No part is above its total, also where other parts are blank and no sum can be taken. #}
{% macro parts_rule(total, parts) %}
    {% set greatest = 'greatest(' ~ parts | join(', ') ~ ')' %}
    {% do return(rule(
        total ~ '_below_part', 'consistency', 'flag', [total] + parts,
        applies_when=total ~ ' is not null and num_nonnulls(' ~ parts | join(', ') ~ ') > 0',
        predicate=greatest ~ ' > ' ~ total ~ ' + 0.05',
        message=total ~ ' is below one of its parts',
    )) %}
{% endmacro %}
