{# Every row rule of the household survey, see `rule`. A row that breaks a `reject` rule goes to quarantine: it is
   unusable or surely wrong. A `flag` only marks the released row: good rows break one now and then, all flags
   together on fewer than 1 % of them. #}
{% macro household_survey_rules() %}
    {% do return(
        contract_rules('household_survey')
        + identity_rules()
        + date_and_place_rules()
        + completeness_rules()
        + money_rules()
        + skip_rules()
        + plausibility_rules()
    ) %}
{% endmacro %}
