{# A row rule as data. `predicate` is true when the row is bad, written over the columns of staging. The rule is
   checked where `applies_when` holds: by default everywhere for completeness, else where all its columns are answered.
   An applicable `reject` rule that cannot be decided counts as broken, an undecided `flag` as held. `stage` says who
   decides: the row alone (`evaluated`), or the rows that stand beside it too (`judged`). #}
{% macro rule(id, dimension, severity, columns, predicate, message, applies_when=none, stage='evaluated') %}
    {% set answered = 'true' if dimension == 'completeness' else all_answered(columns) %}
    {% do return({
        'id': id,
        'dimension': dimension,
        'severity': severity,
        'stage': stage,
        'columns': columns,
        'applies_when': applies_when or answered,
        'predicate': predicate,
        'message': message,
    }) %}
{% endmacro %}


{# Whether every one of the columns holds an answer. #}
{% macro all_answered(columns) %}
    {% do return(
        columns[0] ~ ' is not null' if columns | length == 1 else 'num_nulls(' ~ columns | join(', ') ~ ') = 0'
    ) %}
{% endmacro %}


{# Every rule of a form that has rules; none for any other form. #}
{% macro form_rules(form) %}
    {% do return({
        'household_survey': household_survey_rules(),
        'quarterly_report': quarterly_report_rules(),
    }.get(form, [])) %}
{% endmacro %}
