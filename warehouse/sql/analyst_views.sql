-- name: dim_households
-- One row for each household, under a pseudonym: how it stood when it was last surveyed, and what rounds before found.
select
    encode(sha256(key.outer_key || sha256(key.inner_key || convert_to(households.household_id, 'UTF8'))), 'hex')
        as household_id,
    case when small_districts.district is null then households.district end as district,
    case when small_clusters.district is null then households.cluster end as cluster,
    case when small_villages.district is null then households.village end as village,
    households.first_round,
    households.last_round,
    households.head_sex,
    households.measured_status,
    households.progress,
    households.risk_category,
    households.top_reasons,
    (
        select jsonb_agg(rounds.round - 'submission_id' order by rounds.number)
        from jsonb_array_elements(households.history) with ordinality as rounds (round, number)
    ) as history,
    households.household_size,
    households.rounds_surveyed,
    households.measured_income_usd_per_day,
    households.measured_income_ugx_per_day,
    households.vulnerability_probability,
    households.is_measured_vulnerable,
    households.is_predicted_vulnerable,
    households.survey_date
from marts.dim_households as households
cross join ops.pseudonym_key as key
left join ops.small_groups as small_districts
    on
        households.district = small_districts.district
        and small_districts.cluster = ''
        and small_districts.village = ''
left join ops.small_groups as small_clusters
    on
        households.district = small_clusters.district
        and coalesce(households.cluster, 'unknown') = small_clusters.cluster
        and small_clusters.village = ''
left join ops.small_groups as small_villages
    on
        households.district = small_villages.district
        and small_villages.cluster = ''
        and households.village = small_villages.village;

-- name: dim_quality_rules
-- One row for each rule of each form; that one to four submissions break it is not told.
select
    rules.quality_rule_id,
    rules.rule_id,
    rules.form,
    rules.dimension,
    rules.severity,
    rules.stage,
    rules.field_names,
    rules.condition,
    rules.predicate,
    rules.message,
    case when rules.broken_submissions not between 1 and 4 then rules.broken_submissions end as broken_submissions
from marts.dim_quality_rules as rules;

-- name: fct_batch_quality
-- One row for each upload of five submissions or more: its checks, its score, and whether its gate let it pass.
select
    judged.ingestion_id,
    judged.source,
    judged.gate_status,
    judged.submissions,
    case when not judged.tells_of_few_rejected then judged.rejected_submissions end as rejected_submissions,
    case when not judged.tells_of_few_flagged then judged.flagged_submissions end as flagged_submissions,
    judged.completeness_passed,
    judged.completeness_checked,
    judged.validity_passed,
    judged.validity_checked,
    judged.uniqueness_passed,
    judged.uniqueness_checked,
    judged.consistency_passed,
    judged.consistency_checked,
    judged.timeliness_passed,
    judged.timeliness_checked,
    judged.quality_score,
    case when not judged.tells_of_few_rejected then judged.rejected_percent end as rejected_percent,
    (judged.received_at at time zone 'utc')::date as received_date
from (
    select
        quality.*,
        least(quality.rejected_submissions, quality.submissions - quality.rejected_submissions) between 1 and 4
            as tells_of_few_rejected,
        least(quality.flagged_submissions, quality.submissions - quality.flagged_submissions) between 1 and 4
            as tells_of_few_flagged
    from marts.fct_batch_quality as quality
    where quality.submissions >= 5
) as judged;

-- name: fct_batch_quality_by_district
-- One row for each upload and district; left out are the smallest of an upload, as long as they are fewer than five.
select
    judged.batch_district_id,
    judged.ingestion_id,
    judged.district,
    judged.submissions,
    case when not judged.tells_of_few_rejected then judged.rejected_submissions end as rejected_submissions,
    case when not judged.tells_of_few_flagged then judged.flagged_submissions end as flagged_submissions,
    judged.completeness_passed,
    judged.completeness_checked,
    judged.validity_passed,
    judged.validity_checked,
    judged.uniqueness_passed,
    judged.uniqueness_checked,
    judged.consistency_passed,
    judged.consistency_checked,
    judged.timeliness_passed,
    judged.timeliness_checked,
    judged.quality_score,
    case when not judged.tells_of_few_rejected then judged.rejected_percent end as rejected_percent
from (
    select
        sorted.*,
        least(sorted.rejected_submissions, sorted.submissions - sorted.rejected_submissions) between 1 and 4
            as tells_of_few_rejected,
        least(sorted.flagged_submissions, sorted.submissions - sorted.flagged_submissions) between 1 and 4
            as tells_of_few_flagged,
        sorted.is_small
        or (
            bool_or(sorted.is_small) over (partition by sorted.ingestion_id)
            and sum(sorted.submissions) over (by_size rows unbounded preceding exclude current row) < 5
        ) as is_left_out
    from (
        select
            quality.*,
            quality.submissions < 5 or small_groups.district is not null as is_small
        from marts.fct_batch_quality_by_district as quality
        left join ops.small_groups
            on
                quality.district = small_groups.district
                and small_groups.cluster = ''
                and small_groups.village = ''
    ) as sorted
    window by_size as (
        partition by sorted.ingestion_id
        order by sorted.is_small desc, sorted.submissions, sorted.batch_district_id
    )
) as judged
where not judged.is_left_out;

-- name: fct_household_risk
-- One row for each household, under a pseudonym, and round: what was measured, what was predicted, and why.
select
    encode(sha256(key.outer_key || sha256(key.inner_key || convert_to(risk.household_id, 'UTF8'))), 'hex')
        as household_id,
    risk.survey_round,
    case when small_districts.district is null then risk.district end as district,
    case when small_clusters.district is null then risk.cluster end as cluster,
    case when small_villages.district is null then risk.village end as village,
    risk.head_sex,
    risk.measured_status,
    risk.previous_round,
    risk.previous_status,
    risk.progress,
    risk.risk_category,
    risk.predicted_status,
    risk.verdict,
    risk.top_reasons,
    risk.prediction_reasons,
    risk.quality_flags,
    risk.screening_model_name,
    risk.screening_model_version,
    risk.assessment_model_version,
    risk.household_size,
    risk.measured_income_usd_per_day,
    risk.measured_income_usd_per_year,
    risk.measured_income_ugx_per_day,
    risk.measured_income_ugx_per_year,
    risk.vulnerability_probability,
    risk.confidence,
    risk.assessment_probability,
    risk.is_latest_round,
    risk.is_measured_vulnerable,
    risk.is_predicted_vulnerable,
    risk.is_assessed_vulnerable,
    risk.survey_date,
    (risk.scored_at at time zone 'utc')::date as scored_date
from marts.fct_household_risk as risk
cross join ops.pseudonym_key as key
left join ops.small_groups as small_districts
    on
        risk.district = small_districts.district
        and small_districts.cluster = ''
        and small_districts.village = ''
left join ops.small_groups as small_clusters
    on
        risk.district = small_clusters.district
        and coalesce(risk.cluster, 'unknown') = small_clusters.cluster
        and small_clusters.village = ''
left join ops.small_groups as small_villages
    on
        risk.district = small_villages.district
        and small_villages.cluster = ''
        and risk.village = small_villages.village;

-- name: fct_quarantined_submissions
-- One row for each submission that waits for a reviewer, under its household's pseudonym, with the rules that it broke.
select
    encode(sha256(key.outer_key || sha256(key.inner_key || convert_to(quarantined.household_id, 'UTF8'))), 'hex')
        as household_id,
    quarantined.survey_round,
    case when small_districts.district is null then quarantined.district end as district,
    quarantined.status,
    quarantined.failed_rules,
    quarantined.age_days / 7 as age_weeks
from marts.fct_quarantined_submissions as quarantined
cross join ops.pseudonym_key as key
left join ops.small_groups as small_districts
    on
        quarantined.district = small_districts.district
        and small_districts.cluster = ''
        and small_districts.village = '';

-- name: fct_quarantined_village_reports
-- One row for each report of a partner that a rule keeps out, with its reasons, and without what was written.
select
    reports.partner,
    reports.district,
    reports.village,
    reports.failed_rules,
    (
        select jsonb_agg(told.reason - 'values' order by told.number)
        from jsonb_array_elements(reports.reasons) with ordinality as told (reason, number)
    ) as reasons,
    reports.report_year,
    reports.report_quarter,
    (reports.received_at at time zone 'utc')::date as received_date
from marts.fct_quarantined_village_reports as reports;

-- name: fct_quality_anomalies
-- One row for each number of five answers or more that stands out, without the submission and without who asked.
select
    anomalies.metric,
    anomalies.entity_type,
    case when anomalies.entity_type <> 'enumerator' then anomalies.entity end as entity,
    anomalies.period,
    anomalies.field,
    anomalies.severity,
    anomalies.value,
    anomalies.baseline,
    anomalies.score,
    anomalies.score_limit,
    anomalies.n
from marts.fct_quality_anomalies as anomalies
where anomalies.submission_id is null and (anomalies.n = 0 or anomalies.n >= 5);

-- name: fct_village_reports
-- One row for each report of a partner about a village; what we surveyed there is not told where it is too little.
select
    reports.village_report_id,
    reports.partner,
    reports.district,
    reports.village,
    reports.main_water_source,
    reports.food_security,
    reports.quality_flags,
    reports.report_year,
    reports.report_quarter,
    reports.households_in_village,
    reports.households_visited,
    reports.people_reached,
    reports.women_reached,
    reports.savings_groups,
    reports.mean_savings_usd,
    reports.mean_savings_ugx,
    reports.mean_minutes_to_water,
    reports.latrine_coverage_percent,
    case when not judged.is_suppressed then reports.households_surveyed end as households_surveyed,
    case when not judged.is_suppressed then reports.households_predicted_vulnerable end
        as households_predicted_vulnerable,
    case when not judged.is_suppressed then reports.expected_vulnerable_households end
        as expected_vulnerable_households,
    reports.visit_coverage_percent,
    case when not judged.is_suppressed then reports.survey_coverage_percent end as survey_coverage_percent,
    reports.has_survey,
    reports.is_final,
    judged.is_suppressed,
    reports.report_date
from marts.fct_village_reports as reports
cross join lateral (
    select
        reports.households_surveyed between 1 and 4
        or exists (
            select 1
            from ops.small_groups
            where
                lower(small_groups.district) = lower(reports.district)
                and lower(small_groups.village) = lower(reports.village)
        ) as is_suppressed
) as judged;

-- name: rpt_cluster_summary
-- One row for each cluster; what is too small to be told has no numbers.
select
    summary.cluster_id,
    summary.district,
    summary.cluster,
    case when small_groups.district is null then summary.villages end as villages,
    case when small_groups.district is null then summary.households end as households,
    case when small_groups.district is null then summary.people end as people,
    case when small_groups.district is null then summary.households_scored end as households_scored,
    case when small_groups.district is null then summary.households_predicted_vulnerable end
        as households_predicted_vulnerable,
    case when small_groups.district is null then summary.expected_vulnerable_households end
        as expected_vulnerable_households,
    case when small_groups.district is null then summary.mean_vulnerability_probability end
        as mean_vulnerability_probability,
    case when small_groups.district is null then summary.households_critical end as households_critical,
    case when small_groups.district is null then summary.households_high end as households_high,
    case when small_groups.district is null then summary.households_medium end as households_medium,
    case when small_groups.district is null then summary.households_low end as households_low,
    case when small_groups.district is null then summary.households_measured end as households_measured,
    case when small_groups.district is null then summary.households_measured_vulnerable end
        as households_measured_vulnerable,
    case when small_groups.district is null then summary.mean_income_usd_per_day end as mean_income_usd_per_day,
    case when small_groups.district is null then summary.mean_income_ugx_per_day end as mean_income_ugx_per_day,
    small_groups.district is not null as is_suppressed
from marts.rpt_cluster_summary as summary
left join ops.small_groups
    on
        summary.district = small_groups.district
        and summary.cluster = small_groups.cluster
        and small_groups.village = '';

-- name: rpt_data_quality
-- One row for each day and district: how good the submissions were, whoever asked; fewer than five are not told.
select
    judged.district,
    judged.received_date,
    case when not judged.is_suppressed then judged.submissions end as submissions,
    case when not judged.tells_of_few then judged.released_submissions end as released_submissions,
    case when not judged.tells_of_few then judged.held_submissions end as held_submissions,
    case when not judged.tells_of_few then judged.quarantined_submissions end as quarantined_submissions,
    case when not judged.tells_of_few_rejected then judged.rejected_submissions end as rejected_submissions,
    case when not judged.tells_of_few_flagged then judged.flagged_submissions end as flagged_submissions,
    case when not judged.is_suppressed then judged.quality_score end as quality_score,
    judged.is_suppressed
from (
    select
        summed.*,
        summed.is_suppressed
        or summed.released_submissions between 1 and 4
        or summed.superseded_submissions between 1 and 4
        or summed.held_submissions between 1 and 4
        or summed.quarantined_submissions between 1 and 4 as tells_of_few,
        summed.is_suppressed
        or least(summed.rejected_submissions, summed.submissions - summed.rejected_submissions) between 1 and 4
            as tells_of_few_rejected,
        summed.is_suppressed
        or least(summed.flagged_submissions, summed.submissions - summed.flagged_submissions) between 1 and 4
            as tells_of_few_flagged
    from (
        select
            quality.district,
            quality.received_date,
            sum(quality.submissions) as submissions,
            sum(quality.released_submissions) as released_submissions,
            sum(quality.superseded_submissions) as superseded_submissions,
            sum(quality.held_submissions) as held_submissions,
            sum(quality.quarantined_submissions) as quarantined_submissions,
            sum(quality.rejected_submissions) as rejected_submissions,
            sum(quality.flagged_submissions) as flagged_submissions,
            round(sum(quality.quality_score::numeric * quality.submissions) / sum(quality.submissions), 2)
                as quality_score,
            sum(quality.submissions) < 5
            or quality.district in (
                select small_groups.district
                from ops.small_groups
                where small_groups.cluster = '' and small_groups.village = ''
            ) as is_suppressed
        from marts.rpt_data_quality as quality
        group by
            quality.district,
            quality.received_date
    ) as summed
) as judged;

-- name: rpt_district_summary
-- One row for each district; what is too small to be told has no numbers.
select
    summary.district,
    case when small_groups.district is null then summary.households end as households,
    case when small_groups.district is null then summary.people end as people,
    case when small_groups.district is null then summary.households_scored end as households_scored,
    case when small_groups.district is null then summary.households_predicted_vulnerable end
        as households_predicted_vulnerable,
    case when small_groups.district is null then summary.households_undecided end as households_undecided,
    case when small_groups.district is null then summary.expected_vulnerable_households end
        as expected_vulnerable_households,
    case when small_groups.district is null then summary.mean_vulnerability_probability end
        as mean_vulnerability_probability,
    case when small_groups.district is null then summary.households_critical end as households_critical,
    case when small_groups.district is null then summary.households_high end as households_high,
    case when small_groups.district is null then summary.households_medium end as households_medium,
    case when small_groups.district is null then summary.households_low end as households_low,
    case when small_groups.district is null then summary.households_measured end as households_measured,
    case when small_groups.district is null then summary.households_measured_vulnerable end
        as households_measured_vulnerable,
    case when small_groups.district is null then summary.mean_income_usd_per_day end as mean_income_usd_per_day,
    case when small_groups.district is null then summary.mean_income_ugx_per_day end as mean_income_ugx_per_day,
    case
        when small_groups.district is null and summary.quarantined_submissions not between 1 and 4
            then summary.quarantined_submissions
    end as quarantined_submissions,
    case
        when small_groups.district is null and summary.held_submissions not between 1 and 4
            then summary.held_submissions
    end as held_submissions,
    small_groups.district is not null as is_suppressed
from marts.rpt_district_summary as summary
left join ops.small_groups
    on
        summary.district = small_groups.district
        and small_groups.cluster = ''
        and small_groups.village = '';

-- name: rpt_ingestions
-- One row for each upload of five submissions or more: what became of them; one to four of a kind are not told.
select
    judged.ingestion_id,
    judged.form,
    judged.staged_submissions,
    case when not judged.is_suppressed then judged.released_submissions end as released_submissions,
    case when not judged.is_suppressed then judged.superseded_submissions end as superseded_submissions,
    case when not judged.is_suppressed then judged.held_submissions end as held_submissions,
    case when not judged.is_suppressed then judged.quarantined_submissions end as quarantined_submissions,
    case when judged.predicted_households not between 1 and 4 then judged.predicted_households end
        as predicted_households,
    case
        when
            judged.predicted_households not between 1 and 4
            and least(judged.vulnerable_households, judged.predicted_households - judged.vulnerable_households)
            not between 1 and 4
            then judged.vulnerable_households
    end as vulnerable_households,
    judged.is_suppressed
from (
    select
        ingestions.*,
        ingestions.released_submissions between 1 and 4
        or ingestions.superseded_submissions between 1 and 4
        or ingestions.held_submissions between 1 and 4
        or ingestions.quarantined_submissions between 1 and 4 as is_suppressed
    from marts.rpt_ingestions as ingestions
    where ingestions.staged_submissions >= 5
) as judged;

-- name: rpt_progress
-- One row for each way in which households of a district moved between two rounds; too few are not told.
select
    judged.transition_id,
    judged.district,
    judged.previous_round,
    judged.survey_round,
    judged.previous_status,
    judged.measured_status,
    judged.progress,
    case when not judged.is_suppressed then judged.households end as households,
    judged.is_suppressed
from (
    select
        progress.*,
        progress.households < 5
        or small_groups.district is not null
        or (
            min(progress.households) over (
                partition by progress.district, progress.previous_round, progress.survey_round
            ) < 5
            and sum(progress.households) over (by_size rows unbounded preceding exclude current row) < 5
        ) as is_suppressed
    from marts.rpt_progress as progress
    left join ops.small_groups
        on
            progress.district = small_groups.district
            and small_groups.cluster = ''
            and small_groups.village = ''
    window by_size as (
        partition by progress.district, progress.previous_round, progress.survey_round
        order by progress.households, progress.transition_id
    )
) as judged;

-- name: rpt_village_locations
-- One row for each village with several located homes: where it lies, to eleven kilometres.
select
    locations.village_id,
    locations.district,
    locations.village,
    round(locations.village_latitude::numeric, 1)::double precision as village_latitude,
    round(locations.village_longitude::numeric, 1)::double precision as village_longitude,
    case when small_groups.district is null then locations.households_located end as households_located,
    small_groups.district is not null as is_suppressed
from marts.rpt_village_locations as locations
left join ops.small_groups
    on
        locations.district = small_groups.district
        and small_groups.cluster = ''
        and locations.village = small_groups.village;

-- name: rpt_village_priorities
-- One row for each village, the neediest of its district first; what is too small to be told has no numbers.
select
    priorities.village_id,
    priorities.district,
    priorities.cluster,
    priorities.village,
    priorities.last_visited_quarter,
    case when small_groups.district is null then priorities.priority_rank end as priority_rank,
    case when small_groups.district is null then priorities.households end as households,
    case when small_groups.district is null then priorities.people end as people,
    case when small_groups.district is null then priorities.expected_vulnerable_households end
        as expected_vulnerable_households,
    case when small_groups.district is null then priorities.households_critical end as households_critical,
    case when small_groups.district is null then priorities.critical_percent end as critical_percent,
    case when small_groups.district is null then priorities.mean_minutes_to_water end as mean_minutes_to_water,
    case when small_groups.district is null then priorities.households_unvisited end as households_unvisited,
    priorities.is_visited_by_partner,
    small_groups.district is not null as is_suppressed
from marts.rpt_village_priorities as priorities
left join ops.small_groups
    on
        priorities.district = small_groups.district
        and small_groups.cluster = ''
        and priorities.village = small_groups.village;
