{#- Counts of a day change only while submissions arrive on it: the other days are left alone. A few
    hundred submissions of a district and day say how its answers spread; their identity chooses them, not chance. -#}
{%- set limits = statistics_limits() %}
{%- set fields = watched_fields() %}
{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key=['received_date', 'district'],
        on_schema_change='append_new_columns',
        indexes=[
            {'columns': ['field_count_id'], 'unique': true},
            {'columns': ['received_date', 'district']},
        ],
    )
}}

with

submissions as (
    select * from {{ ref('stg_household_survey__submissions') }}
),

profiles as (
    select * from {{ ref('int_quality_profiles') }}
    where district is not null
),

edges as (
    select
        field,
        bin_edges,
        frozen_at
    from {{ ref('int_field_baselines') }}
    where level = 'all'
),

arrivals as (
    select
        received_date,
        district,
        count(*) as submissions,
        (select max(edges.frozen_at) from edges) as baselines_frozen_at
    from profiles
    group by
        received_date,
        district
),

{% if is_incremental() %}
    counted as (
        select distinct
            received_date,
            district,
            submissions,
            baselines_frozen_at
        from {{ this }}
    ),
{% endif %}

changed as (
    select arrivals.*
    from arrivals
    {% if is_incremental() %}
        left join counted
            on
                arrivals.received_date = counted.received_date
                and arrivals.district = counted.district
                and arrivals.submissions = counted.submissions
                and arrivals.baselines_frozen_at = counted.baselines_frozen_at
        where counted.district is null
    {% endif %}
),

chosen as (
    select
        profiles.submission_id,
        changed.received_date,
        changed.district
    from changed
    inner join profiles
        on
            changed.received_date = profiles.received_date
            and changed.district = profiles.district
    where
        changed.submissions <= {{ limits.counted_a_day }}
        or left(md5(profiles.submission_id), 4)
        < lpad(to_hex(65536 * {{ limits.counted_a_day }} / changed.submissions), 4, '0')
),

answers as (
    select
        chosen.received_date,
        chosen.district,
        listed.field,
        listed.answer
    from chosen
    inner join submissions on chosen.submission_id = submissions.submission_id
    cross join lateral unnest(
        {{ field_names(fields) }},
        {{ answers_as_numbers(fields) }}
    ) as listed (field, answer)
),

binned as (
    select
        answers.received_date,
        answers.district,
        answers.field,
        {{ answer_bin('answers.answer', 'edges.bin_edges') }} as bin,
        count(*) as bin_count
    from answers
    inner join edges on answers.field = edges.field
    group by
        1,
        2,
        3,
        4
),

ordered as (
    select
        received_date,
        district,
        field,
        sum(bin_count)::bigint as counted,
        {{ bins_in_order() }} as bin_counts
    from binned
    group by
        received_date,
        district,
        field
),

field_counts as (
    select
        ordered.received_date || ' ' || ordered.district || ' ' || ordered.field as field_count_id,
        ordered.district,
        ordered.field,
        changed.submissions,
        ordered.counted,
        ordered.bin_counts,
        ordered.received_date,
        changed.baselines_frozen_at
    from ordered
    inner join changed
        on
            ordered.received_date = changed.received_date
            and ordered.district = changed.district
)

select * from field_counts
