{#- What a submission says never changes: it is profiled once, and again when the baselines are frozen anew or other
    fields are watched. -#}
{%- set limits = statistics_limits() %}
{%- set quantities = watched_fields('quantity') %}
{%- set all_names = watched_fields() | map(attribute='name') | join(', ') %}
{%- set quantity_names = quantities | map(attribute='name') | join(', ') %}
{%- set choices = watched_fields('choice') | selectattr('type', 'equalto', 'boolean') | list %}
{%- set choice_names = choices | map(attribute='name') | join(', ') %}
{%- set entered = {
    'minutes_to_water': 30,
    'minutes_to_outpatient_care': 30,
    'assets_ugx': 100000,
    'vsla_profits_ugx': 50000,
} %}
{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='submission_id',
        on_schema_change='append_new_columns',
        indexes=[
            {'columns': ['submission_id'], 'unique': true},
            {'columns': ['ingestion_id']},
        ],
    )
}}

with

submissions as (
    select * from {{ ref('stg_household_survey__submissions') }}
),

baselines as (
    select * from {{ ref('int_field_baselines') }}
),

latest_freeze as (
    select max(frozen_at) as frozen_at
    from baselines
),

{% if is_incremental() %}
    profiled as (
        select distinct standing.ingestion_id
        from {{ this }} as standing
        inner join latest_freeze on standing.baselines_frozen_at is not distinct from latest_freeze.frozen_at
        where standing.watched_fields = '{{ local_md5(all_names) }}'
    ),
{% endif %}

places as (
    select distinct entity
    from baselines
),

bounds as (
    select
        entity,
        {% for field in quantities %}
            max(lower_bound) filter (where field = '{{ field.name }}') as {{ field.name }}_lower,
            max(upper_bound) filter (where field = '{{ field.name }}') as {{ field.name }}_upper,
        {% endfor %}
        count(*) as fields
    from baselines
    group by entity
),

placed as (
    select
        submissions.*,
        coalesce(clusters.entity, districts.entity, 'all') as place
    from submissions
    left join places as clusters on {{ cluster_entity('submissions') }} = clusters.entity
    left join places as districts on submissions.district = districts.entity
    {% if is_incremental() %}
        where submissions.ingestion_id not in (select profiled.ingestion_id from profiled)
    {% endif %}
),

profiles as (
    select
        placed.submission_id,
        placed.ingestion_id,
        placed.household_id,
        placed.enumerator_id,
        placed.device_id,
        placed.district,
        placed.place,
        case
            when {{ is_outlying(quantities) | join(' or ') }}
                then array_remove(
                    array[
                        {% for condition in is_outlying(quantities) %}
                            case when {{ condition }} then '{{ quantities[loop.index0].name }}' end,
                        {% endfor %}
                        null
                    ]::text[],
                    null
                )
            else '{}'
        end as outlying_fields,
        case
            when num_nonnulls({{ all_names }}) >= {{ limits.fingerprint_answers }}
                then hash_record_extended(row({{ all_names }}), 0)
        end as fingerprint,
        '{{ local_md5(all_names) }}' as watched_fields,
        num_nulls({{ all_names }}) as blank_answers,
        num_nonnulls({{ quantity_names }}) as quantity_answers,
        num_nonnulls({{ quantity_names }}) - {{ count_others(quantities, 0) }} as zero_answers,
        {{ count_multiples(entered, 1) }} as entered_answers,
        {{ count_multiples(entered) }} as round_answers,
        num_nonnulls({{ choice_names }}) >= {{ limits.straight_answers }}
        and {{ count_others(choices, 'false') }} in (0, num_nonnulls({{ choice_names }})) as is_straight_lined,
        case
            when
                placed.survey_date
                between (placed.received_at at time zone 'utc')::date - 365
                and (placed.received_at at time zone 'utc')::date
                then placed.survey_date
            else (placed.received_at at time zone 'utc')::date
        end as interview_date,
        (placed.received_at at time zone 'utc')::date as received_date,
        latest_freeze.frozen_at as baselines_frozen_at
    from placed
    cross join latest_freeze
    left join bounds on placed.place = bounds.entity
)

select * from profiles
