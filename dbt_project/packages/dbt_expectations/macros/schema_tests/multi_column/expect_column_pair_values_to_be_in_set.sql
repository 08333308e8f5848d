{% test expect_column_pair_values_to_be_in_set(
    model,
    column_A,
    column_B,
    value_pairs_set,
    row_condition=none,
    context_columns=[]
) %}
{{ dbt_expectations.require(value_pairs_set, "value_pairs_set is empty: list at least one pair.") }}
{% set matches = [] %}
{% for pair in value_pairs_set or [] %}
    {{ dbt_expectations.require(pair | length == 2, "value_pairs_set has " ~ pair ~ ", which is not a pair.") }}
    {% do matches.append("(" ~ column_A ~ ") = " ~ pair[0] ~ " and (" ~ column_B ~ ") = " ~ pair[1]) %}
{% endfor %}
{{ dbt_expectations.expression_is_true(
    model=model,
    expression="(" ~ matches | join(") or (") ~ ")",
    row_condition=row_condition,
    context_columns=context_columns,
) }}
{% endtest %}
