-- Which enumerators bring the surveys of the lowest quality? Scores are taken of all their checks together.
with

quality as (
    select * from {{ ref('rpt_data_quality') }}
),

enumerators as (
    select
        enumerator_id,
        {% for dimension in quality_weights() %}
            sum({{ dimension }}_passed) as {{ dimension }}_passed,
            sum({{ dimension }}_checked) as {{ dimension }}_checked,
        {% endfor %}
        sum(submissions) as submissions,
        sum(rejected_submissions) as rejected_submissions,
        sum(flagged_submissions) as flagged_submissions
    from quality
    group by enumerator_id
),

scored as (
    select
        enumerator_id,
        submissions,
        {{ percentage('rejected_submissions', 'submissions') }} as rejected_percent,
        {{ percentage('flagged_submissions', 'submissions') }} as flagged_percent,
        {{ quality_score() }} as quality_score
    from enumerators
)

select * from scored
order by
    quality_score asc,
    enumerator_id asc
