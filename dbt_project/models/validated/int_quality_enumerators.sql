{#- An enumerator is held against the others of the district, whose households are alike. -#}
{%- set limits = statistics_limits() %}
{%- set shares = {
    'blank_answers': ('blank_answers', 'asked_answers'),
    'zero_answers': ('zero_answers', 'quantity_answers'),
    'digit_heaping': ('round_answers', 'entered_answers'),
    'straight_lining': ('straight_lined_interviews', 'interviews'),
    'identical_answers': ('identical_interviews', 'interviews'),
} %}
{{
    config(
        indexes=[
            {'columns': ['anomaly_id'], 'unique': true},
        ],
    )
}}

with

profiles as (
    select * from {{ ref('int_quality_profiles') }}
    where enumerator_id is not null and district is not null
),

identical as (
    select
        enumerator_id,
        district,
        fingerprint,
        count(*) as interviews
    from profiles
    where fingerprint is not null
    group by
        enumerator_id,
        district,
        fingerprint
    having count(*) > 1 and min(household_id) <> max(household_id)
),

identical_interviews as (
    select
        enumerator_id,
        district,
        sum(interviews) as identical_interviews
    from identical
    group by
        enumerator_id,
        district
),

enumerators as (
    select
        enumerator_id,
        district,
        count(*) as interviews,
        sum(blank_answers) as blank_answers,
        count(*) * {{ watched_fields() | length }} as asked_answers,
        sum(zero_answers) as zero_answers,
        sum(quantity_answers) as quantity_answers,
        sum(round_answers) as round_answers,
        sum(entered_answers) as entered_answers,
        count(*) filter (where is_straight_lined) as straight_lined_interviews
    from profiles
    group by
        enumerator_id,
        district
),

joined as (
    select
        enumerators.*,
        coalesce(identical_interviews.identical_interviews, 0) as identical_interviews
    from enumerators
    left join identical_interviews
        on
            enumerators.enumerator_id = identical_interviews.enumerator_id
            and enumerators.district = identical_interviews.district
),

shares as (
    select
        joined.enumerator_id,
        joined.district,
        joined.interviews,
        listed.metric,
        listed.hits,
        listed.cases,
        sum(listed.hits) over peers - listed.hits as peer_hits,
        sum(listed.cases) over peers - listed.cases as peer_cases
    from joined
    cross join
        lateral (
            values
            {% for metric, counts in shares.items() %}
                ('{{ metric }}', joined.{{ counts[0] }}, joined.{{ counts[1] }}){{ ',' if not loop.last }}
            {% endfor %}
        ) as listed (metric, hits, cases)
    window peers as (partition by joined.district, listed.metric)
),

compared as (
    select
        metric,
        'enumerator' as entity_type,
        district || ' / ' || enumerator_id as entity,
        'all' as period,
        null as field,
        hits::numeric / cases as value,
        peer_hits::numeric / peer_cases as baseline,
        {{ share_deviations('hits', 'cases', 'peer_hits', 'peer_cases') }} as score,
        {{ limits.share_deviations }} as score_limit,
        interviews as n,
        null as submission_id
    from shares
    where
        interviews >= {{ limits.enumerator_interviews }}
        and cases > 0
        and peer_cases > 0
),

anomalies as (
    select {{ anomaly_columns() }}
    from compared
    where
        score >= score_limit
        and value - baseline >= {{ limits.share_difference }}
)

select * from anomalies
