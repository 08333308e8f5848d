{# From where on a number is called an anomaly, by name. All that is watched reads its limits here.
   Amounts have a long tail towards nothing (a gift of a dollar), so that a low one must be farther away. #}
{% macro statistics_limits() %}
    {% do return({
        'reference_households': 500,
        'reference_sample': 10000,
        'group_households': 30,
        'spreads_above': 4.5,
        'spreads_below': 8,
        'counted_a_day': 1000,
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


{# How many rows of a group fall into each of the bins; ten edges make eleven bins beside *blank* and *zero*. #}
{% macro count_bins(bin) -%}
    array[
        {%- for place in range(1, 14) %}
            count(*) filter (where {{ bin }} = {{ place }}){{ ',' if not loop.last }}
        {%- endfor %}
    ]
{%- endmacro %}


{# A cluster among all: clusters of different districts may bear one name. #}
{% macro cluster_entity(relation) -%}
    {{ relation }}.district || ' / ' || {{ relation }}.cluster
{%- endmacro %}


{# How many of the amounts that an enumerator writes down have two digits or more. #}
{% macro count_entered(amounts) -%}
    {% for amount in amounts -%}
        coalesce(({{ amount }} >= 10)::integer, 0){{ ' + ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}


{# How many of these are round: one digit and zeros behind it. #}
{% macro count_round(amounts) -%}
    {% for amount in amounts -%}
        coalesce((btrim(substr({{ amount }}::text, 2), '0') = '' and {{ amount }} >= 10)::integer, 0)
        {{- ' + ' if not loop.last }}
    {%- endfor %}
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
    md5(concat_ws('|', metric, entity_type, entity, period, field, submission_id)) as anomaly_id,
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
