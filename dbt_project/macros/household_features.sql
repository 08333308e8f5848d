{# What several features are made of, over the answers of a household. #}
{% macro household_sums() -%}
    formal_employment_income
    + self_employment_income
    + casual_labour_income as total_employment_income,
    seasonal_crop_income
    + perennial_crop_income
    + livestock_income
    + vegetable_income as total_agricultural_income,
    seasonal_crop_income
    + perennial_crop_income
    + livestock_income as farm_income
{%- endmacro %}


{# What the models see beside the district, over the answers of a household and `household_sums`. The one text of it:
   the mart and `features.household_features` are both written from here. #}
{% macro household_features() -%}
    -- people and access
    household_size,
    case
        when household_size <= 3 then 'small'
        when household_size <= 6 then 'medium'
        when household_size <= 9 then 'large'
        when household_size > 9 then 'very_large'
    end as household_size_category,
    head_sex,
    head_literate,
    minutes_to_outpatient_care,
    minutes_to_water,
    daily_meals,

    -- land and crops
    agricultural_land_acres,
    agricultural_land_acres is null as is_agricultural_land_missing,
    agricultural_land_acres / nullif(household_size, 0) as land_acres_per_person,
    season1_crops_planted,
    season2_crops_planted,
    perennial_crops_grown,
    season1_crops_planted::bigint
    + season2_crops_planted
    + perennial_crops_grown as crops_planted_total,
    has_perennial_cropping,
    fertilizer_type,
    composting,
    applies_liquid_manure,
    practises_water_control,
    practises_soil_management,
    has_postharvest_storage,
    coalesce(organic_pesticide_expenditure_ugx, 0) as organic_pesticide_expenditure_ugx,
    coalesce(organic_pesticide_expenditure_ugx, 0) > 0 as has_organic_pesticide,
    {{ count_codes('banana_diseases') }} as banana_disease_count,
    banana_diseases is not null as has_banana_disease,

    -- home and hygiene
    wall_material,
    has_latrine,
    has_tippy_tap,
    has_soap_or_ash,
    has_hangline,
    has_kitchen,
    has_bathroom,
    has_swept_compound,
    has_dish_rack,
    manages_non_bio_waste,
    {{ share_true([
        'has_latrine', 'has_tippy_tap', 'has_soap_or_ash', 'has_hangline', 'has_kitchen', 'has_bathroom',
        'has_swept_compound', 'has_dish_rack', 'manages_non_bio_waste',
    ]) }} as infrastructure_score,

    -- assets, work and finance
    livestock_asset_value,
    assets_ugx,
    assets_usd,
    radios_owned,
    phones_owned,
    {{ share_true([
        'radios_owned > 0', 'phones_owned > 0', 'livestock_asset_value > 0', 'agricultural_land_acres >= 1',
        'business_count > 0',
    ]) }} as asset_score,
    business_count,
    business_count is null as is_business_count_missing,
    has_casual_work,
    salaried_workers,
    in_savings_group,
    {{ count_codes('loan_sources') }} as loan_source_count,
    loan_sources is not null as has_loan,
    {{ count_true([
        'has_casual_work', 'salaried_workers > 0', 'business_count > 0', 'livestock_asset_value > 0',
        'season1_crops_planted + season2_crops_planted > 0', 'has_perennial_cropping', 'in_savings_group',
    ]) }} as livelihood_diversity,

    -- income module
    vsla_profits_ugx,
    vsla_profits_usd,
    season1_vegetable_income,
    season2_vegetable_income,
    vegetable_income,
    season1_vegetable_value,
    season2_vegetable_value,
    vegetable_value,
    formal_employment_income,
    self_employment_income,
    casual_labour_income,
    total_employment_income,
    remittances_and_gifts,
    rent_income,
    season1_crop_income,
    season2_crop_income,
    seasonal_crop_income,
    perennial_crop_income,
    livestock_income,
    total_agricultural_income,
    season1_agricultural_value,
    season2_agricultural_value,
    seasonal_agricultural_value,
    perennial_agricultural_value,
    agricultural_value,
    agricultural_value / nullif(agricultural_land_acres, 0) as agricultural_productivity,
    livestock_consumed_value,
    household_income / nullif(household_size, 0) as income_per_capita,
    farm_income / nullif(household_income, 0) as farm_income_dependency,
    {{ count_true([
        'formal_employment_income > 0', 'self_employment_income > 0', 'casual_labour_income > 0',
        'remittances_and_gifts > 0', 'rent_income > 0', 'seasonal_crop_income > 0', 'perennial_crop_income > 0',
        'livestock_income > 0', 'vegetable_income > 0', 'vsla_profits_usd > 0',
    ]) }} as income_source_count
{%- endmacro %}
