{%- set sources = [
    'int_quality_outliers', 'int_quality_drift', 'int_quality_volumes', 'int_quality_enumerators',
    'int_quality_identical_interviews',
] %}
{{
    config(
        indexes=[
            {'columns': ['anomaly_id'], 'unique': true},
            {'columns': ['submission_id']},
        ],
    )
}}

with

{% for source in sources %}
    {{ source | replace('int_quality_', '') }} as (
        select * from {{ ref(source) }}
    ),

{% endfor %}
found as (
    {% for source in sources %}
        select * from {{ source | replace('int_quality_', '') }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

anomalies as (
    select
        anomaly_id,
        submission_id,
        metric,
        entity_type,
        entity,
        period,
        field,
        case when abs(score) >= 2 * score_limit then 'warning' else 'info' end as severity,
        {% for figure in ['value', 'baseline', 'score', 'score_limit'] %}
            round({{ figure }}::numeric, 6)::double precision as {{ figure }},
        {% endfor %}
        n
    from found
)

select * from anomalies
