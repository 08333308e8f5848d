{% test expect_column_pair_values_A_to_be_greater_than_B(
    model,
    column_A,
    column_B,
    or_equal=false,
    row_condition=none,
    context_columns=[]
) %}
{% set operator = " >= " if or_equal else " > " %}
{{ dbt_expectations.expression_is_true(
    model=model,
    expression="(" ~ column_A ~ ")" ~ operator ~ "(" ~ column_B ~ ")",
    row_condition=row_condition,
    context_columns=context_columns,
) }}
{% endtest %}
