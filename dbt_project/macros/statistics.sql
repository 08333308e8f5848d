{# From where on a number is called an anomaly, by name. All that is watched reads its limits here.
   Amounts have a long tail towards nothing (a gift of a dollar), so that a low one must be farther away. #}
{% macro statistics_limits() %}
    {% do return({
        'reference_households': 500,
        'reference_sample': 10000,
        'group_households': 30,
        'spreads_above': 4.5,
        'spreads_below': 8,
        'counted_a_day': 300,
        'period_submissions': 200,
        'stability_index': 0.25,
        'noise_floors': 3,
        'share_deviations': 5,
        'share_difference': 0.15,
        'volume_deviations': 4,
        'volume_weeks': 8,
        'volume_weeks_known': 4,
        'interviews_a_day': 20,
        'enumerator_interviews': 30,
        'fingerprint_answers': 20,
        'straight_answers': 10,
    }) %}
{% endmacro %}


{# The fields of the household survey whose answers are watched: numbers, codes and yes or no, each amount once (not
   again per day or in dollars beside shillings), and nothing that identifies a person. `kind`: quantity or choice. #}
{% macro watched_fields(kind=none) %}
    {% set watched = [] %}
    {% for field in contract_fields('household_survey') %}
        {% set field_kind = {'integer': 'quantity', 'numeric': 'quantity', 'boolean': 'choice', 'code': 'choice'}.get(field.type) %}
        {% if field_kind and not field.pii and field.name != 'consent' and not field.name.endswith(('_per_day', '_usd')) %}
            {% if kind in (none, field_kind) %}
                {% do watched.append(field) %}
            {% endif %}
        {% endif %}
    {% endfor %}
    {% do return(watched) %}
{% endmacro %}


{# The names of fields as a SQL array. #}
{% macro field_names(fields) -%}
    array['{{ fields | map(attribute='name') | join("', '") }}']
{%- endmacro %}


{# The answers of fields as a SQL array of numbers: false is 0, a code its place in the contract's list (0: none). #}
{% macro answers_as_numbers(fields) -%}
    array[
        {%- for field in fields %}
            {% if field.type == 'boolean' -%}
                {{ field.name }}::integer
            {%- elif field.type == 'code' -%}
                case
                    when {{ field.name }} is not null
                        then coalesce(array_position(array['{{ field.codes | join("', '") }}'], {{ field.name }}), 0)
                end
            {%- else -%}
                {{ field.name }}
            {%- endif %}{{ ',' if not loop.last }}
        {%- endfor %}
    ]::double precision[]
{%- endmacro %}


{# The place of an answer among the kept bins: 1 blank, 2 zero or less, from 3 on between the edges. #}
{% macro answer_bin(answer, edges) -%}
    case
        when {{ answer }} is null then 1
        when {{ answer }} <= 0 then 2
        else 3 + width_bucket({{ answer }}, {{ edges }})
    end
{%- endmacro %}


{# The counts of a group's bins in their order, from rows of `bin` and `bin_count`; ten edges make eleven bins beside
   *blank* and *zero*. #}
{% macro bins_in_order() -%}
    array[
        {%- for place in range(1, 14) %}
            coalesce(sum(bin_count) filter (where bin = {{ place }}), 0)::bigint{{ ',' if not loop.last }}
        {%- endfor %}
    ]
{%- endmacro %}


{# A cluster among all: clusters of different districts may bear one name. #}
{% macro cluster_entity(relation) -%}
    {{ relation }}.district || ' / ' || {{ relation }}.cluster
{%- endmacro %}


{# For each field the condition that its answer lies outside the bounds of the household's place. #}
{% macro is_outlying(fields) %}
    {% set conditions = [] %}
    {% for field in fields %}
        {% do conditions.append(
            '(' ~ field.name ~ ' > ' ~ field.name ~ '_upper or (' ~ field.name ~ ' > 0 and '
            ~ field.name ~ ' < ' ~ field.name ~ '_lower))'
        ) %}
    {% endfor %}
    {% do return(conditions) %}
{% endmacro %}


{# How many of the fields are answered by something else than a value. #}
{% macro count_others(fields, value) -%}
    num_nonnulls(
        {%- for field in fields -%}
            nullif({{ field.name }}, {{ value }}){{ ', ' if not loop.last }}
        {%- endfor -%}
    )
{%- endmacro %}


{# How many amounts are multiples of their step: {name: step}, or of one step for all. #}
{% macro count_multiples(steps, step=none) -%}
    num_nonnulls(
        {%- for name, own_step in steps.items() -%}
            {%- set each = step or own_step -%}
            case when {{ name }} >= {{ each }} and {{ name }}::integer % {{ each }} = 0 then 1 end
            {{- ', ' if not loop.last }}
        {%- endfor -%}
    )
{%- endmacro %}


{# The deviations between two shares, hits of cases here and of peers there, as a two-proportion test has them. #}
{% macro share_deviations(hits, cases, peer_hits, peer_cases) -%}
    ({{ hits }}::numeric / {{ cases }} - {{ peer_hits }}::numeric / {{ peer_cases }})
    / nullif(
        sqrt(
            ({{ hits }} + {{ peer_hits }})::numeric / ({{ cases }} + {{ peer_cases }})
            * (1 - ({{ hits }} + {{ peer_hits }})::numeric / ({{ cases }} + {{ peer_cases }}))
            * (1.0 / {{ cases }} + 1.0 / {{ peer_cases }})
        ),
        0
    )
{%- endmacro %}


{# The columns of an anomaly, from a CTE that has all of them but the first. #}
{% macro anomaly_columns() -%}
    md5(row(metric, entity_type, entity, period, field, submission_id)::text) as anomaly_id,
    submission_id,
    metric,
    entity_type,
    entity,
    period,
    field,
    value::double precision as value,
    baseline::double precision as baseline,
    score::double precision as score,
    score_limit::double precision as score_limit,
    n::bigint as n
{%- endmacro %}
