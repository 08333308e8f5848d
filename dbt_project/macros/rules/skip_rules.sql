{# Answers that another answer rules out. The crops of both seasons count together: what one season grew is sometimes
   sold in the other. Zero businesses beside self-employment is no contradiction, one household in six says so. #}
{% macro skip_rules() %}
    {% do return([
        rule(
            'seasonal_crop_income_without_crops', 'consistency', 'flag',
            ['seasonal_crop_income', 'season1_crops_planted', 'season2_crops_planted'],
            predicate='seasonal_crop_income > 0 and season1_crops_planted + season2_crops_planted = 0',
            message='seasonal crops were sold and none planted',
        ),
        rule(
            'perennial_crop_income_without_crops', 'consistency', 'flag',
            ['perennial_crop_income', 'perennial_crops_grown'],
            predicate='perennial_crop_income > 0 and perennial_crops_grown = 0',
            message='perennial crops were sold and none grown',
        ),
        rule(
            'perennial_crops_contradicted', 'consistency', 'flag', ['has_perennial_cropping', 'perennial_crops_grown'],
            predicate='has_perennial_cropping <> (perennial_crops_grown > 0)',
            message='has_perennial_cropping and perennial_crops_grown contradict each other',
        ),
        rule(
            'banana_diseases_without_perennials', 'consistency', 'flag', ['banana_diseases', 'has_perennial_cropping'],
            predicate='not has_perennial_cropping',
            message='bananas are diseased and no perennial crops grown',
        ),
        rule(
            'formal_employment_income_without_worker', 'consistency', 'flag',
            ['formal_employment_income', 'salaried_workers'],
            predicate='formal_employment_income > 0 and salaried_workers = 0',
            message='a salary was earned and nobody is salaried',
        ),
        rule(
            'casual_labour_income_without_work', 'consistency', 'flag', ['casual_labour_income', 'has_casual_work'],
            predicate='casual_labour_income > 0 and not has_casual_work',
            message='casual labour was paid and nobody does any',
        ),
        rule(
            'vsla_profits_without_group', 'consistency', 'flag', ['vsla_profits_ugx', 'in_savings_group'],
            predicate='vsla_profits_ugx > 0 and not in_savings_group',
            message='a savings group paid out and nobody saves with one',
        ),
        rule(
            'salaried_workers_above_household_size', 'consistency', 'flag', ['salaried_workers', 'household_size'],
            predicate='salaried_workers > household_size',
            message='more people are salaried than live in the household',
        ),
        rule(
            'loan_sources_contradicted', 'consistency', 'flag', ['loan_sources'],
            applies_when="loan_sources like '% %'",
            predicate="'99' = any(string_to_array(loan_sources, ' '))",
            message='loan_sources names a source beside 99, unknown',
        ),
    ]) %}
{% endmacro %}
