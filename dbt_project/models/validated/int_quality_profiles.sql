{#- What a submission says never changes: it is profiled once, and again when the baselines are frozen anew. -#}
{%- set limits = statistics_limits() %}
{%- set quantities = watched_fields('quantity') %}
{%- set all_names = watched_fields() | map(attribute='name') | join(', ') %}
{%- set quantity_names = quantities | map(attribute='name') | join(', ') %}
{%- set choice_names = watched_fields('choice') | selectattr('type', 'equalto', 'boolean') | map(attribute='name') | join(', ') %}
{%- set entered = ['placed.minutes_to_water', 'placed.minutes_to_outpatient_care', 'placed.assets_ugx', 'placed.vsla_profits_ugx'] %}
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
        where submissions.ingestion_id not in (select ingestion_id from profiled)
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
        array_remove(
            array[
                {% for field in quantities %}
                    case
                        when
                            placed.{{ field.name }} > bounds.{{ field.name }}_upper
                            or (placed.{{ field.name }} > 0 and placed.{{ field.name }} < bounds.{{ field.name }}_lower)
                            then '{{ field.name }}'
                    end,
                {% endfor %}
                null
            ]::text[],
            null
        ) as outlying_fields,
        case
            when num_nonnulls({{ all_names }}) >= {{ limits.fingerprint_answers }}
                then hash_record_extended(row({{ all_names }}), 0)
        end as fingerprint,
        num_nulls({{ all_names }}) as blank_answers,
        num_nonnulls({{ quantity_names }}) as quantity_answers,
        cardinality(array_positions(array[{{ quantity_names }}]::double precision[], 0)) as zero_answers,
        {{ count_entered(entered) }} as entered_answers,
        {{ count_round(entered) }} as round_answers,
        num_nonnulls({{ choice_names }}) >= {{ limits.straight_answers }}
        and cardinality(array_positions(array[{{ choice_names }}], true)) in (0, num_nonnulls({{ choice_names }}))
            as is_straight_lined,
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
