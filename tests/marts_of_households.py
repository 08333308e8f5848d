"""The marts as a build leaves them, made of a few households in SQL and published: no build."""

from collections.abc import Sequence
from typing import NamedTuple

import psycopg

from orchestration.context import Warehouse
from orchestration.publish import publish
from tests.shown_marts import MODELS, create_as_dbt_does
from warehouse.grants import TRANSFORMER


class Place(NamedTuple):
    """A village and how many households of it were surveyed."""

    district: str
    cluster: str | None
    village: str | None
    households: int


PLACES = [
    Place("Kanungu", "North", "A", 12),
    Place("Kanungu", "North", "B", 7),
    Place("Kanungu", "North", "C", 3),
    Place("Kanungu", "South", "E", 6),
    Place("Kanungu", "South", "F", 9),
    Place("Kanungu", "West", "G", 4),
    Place("Mitooma", "East", "H", 20),
    Place("Mitooma", None, None, 5),
    Place("Rubanda", "East", "I", 2),
    Place("Rukungiri", "East", "J", 30),
]
REPORTS = """
insert into marts_next.fct_household_risk (
    household_round_id, household_id, submission_id, survey_round, district, cluster, village, measured_status,
    is_latest_round
)
select
    household_id || '/2026', household_id, submission_id, '2026', district, cluster, village, measured_status, true
from marts_next.dim_households;
insert into marts_next.rpt_district_summary (district, households)
select district, count(*) from marts_next.dim_households group by 1;
insert into marts_next.rpt_cluster_summary (cluster_id, district, cluster, households)
select district || '/' || coalesce(cluster, 'unknown'), district, coalesce(cluster, 'unknown'), count(*)
from marts_next.dim_households group by 1, 2, 3;
insert into marts_next.rpt_village_priorities (village_id, district, cluster, village, households, priority_rank)
select district || '/' || village, district, min(cluster), village, count(*), 1
from marts_next.dim_households where village is not null group by 1, 2, 4;
insert into marts_next.rpt_village_locations
select village_id, district, village, -0.93, 29.71, households from marts_next.rpt_village_priorities
where households >= 5;
insert into marts_next.rpt_progress (transition_id, district, previous_round, survey_round, measured_status, households)
select district || n, district, '2025', '2026', 'status ' || n, n from marts_next.rpt_district_summary,
    generate_series(2, 9, 3) as n;
insert into marts_next.fct_village_reports (village_report_id, submission_id, district, village, households_surveyed)
select village_id, 'report:' || village_id, district, upper(village), households
from marts_next.rpt_village_priorities;
insert into marts_next.fct_quarantined_submissions (
    submission_id, household_id, district, village, status, age_days, decided_at
)
select 'kept:' || household_id, household_id, district, village, 'open', 15, now() from marts_next.dim_households;
insert into marts_next.rpt_data_quality (
    data_quality_id, enumerator_id, district, submissions, released_submissions, superseded_submissions,
    held_submissions, quarantined_submissions, rejected_submissions, flagged_submissions, quality_score, received_date
)
select district || '/personal:someone', 'personal:someone', district, households, households - 1, 0, 0, 1, 1, 0, 90,
    '2026-11-01'
from marts_next.rpt_district_summary;
"""
# One upload with all households, one for each district, and one for each household.
UPLOADS = """
insert into marts_next.fct_batch_quality_by_district (
    batch_district_id, ingestion_id, district, submissions, rejected_submissions, flagged_submissions
)
select upload || ' ' || district, upload, district, count(*), 1, count(*)
from
    marts_next.dim_households,
    unnest(array['ing_all', 'ing_' || district, 'ing_' || household_id]) as uploads (upload)
group by upload, district;
insert into marts_next.fct_batch_quality (
    ingestion_id, source, gate_status, submissions, rejected_submissions, flagged_submissions, rejected_percent,
    received_at
)
select ingestion_id, 'api', 'passed', sum(submissions), 1, sum(flagged_submissions), 100.0 / sum(submissions), now()
from marts_next.fct_batch_quality_by_district
group by ingestion_id;
insert into marts_next.rpt_ingestions
select ingestion_id, 'household_survey', submissions, submissions - 1, 0, 0, 1, submissions,
    case submissions when 1 then 0 else submissions - 1 end
from marts_next.fct_batch_quality;
insert into marts_next.dim_quality_rules (quality_rule_id, rule_id, form, field_names, broken_submissions)
select 'household_survey.broken_' || n, 'broken_' || n, 'household_survey', '{consent}', n
from generate_series(0, 9) as n;
insert into marts_next.fct_quarantined_village_reports (
    submission_id, ingestion_id, partner, district, village, failed_rules, reasons, received_at
)
select 'report:' || village_id, 'ing_reports', 'care', district, village, '{unreadable}',
    '[{"rule": "unreadable", "values": {"households_visited": "HH-1"}, "message": "is no number"}]', now()
from marts_next.rpt_village_priorities;
"""


def publish_households(warehouse: Warehouse, places: Sequence[Place]) -> None:
    """Make the tables that dbt would make of these households, and publish them."""
    with warehouse.database.transaction() as connection:
        connection.execute(f"set local role {TRANSFORMER}".encode())
        for file in sorted((MODELS / "marts").glob("*.yml")):
            connection.execute(f"drop table if exists marts_next.{file.stem}".encode())
            create_as_dbt_does(connection, "marts", file.stem, into="marts_next")
            _index(connection, file.stem)
        for place in places:
            connection.execute(
                """
                insert into marts_next.dim_households (
                    household_id, household_round_id, submission_id, district, cluster, village, last_round, history
                )
                select
                    format('HH-%%s-%%s-%%s', district, village, n),
                    format('HH-%%s-%%s-%%s/2026', district, village, n),
                    format('sent:%%s-%%s-%%s', district, village, n),
                    district, cluster, village, '2026',
                    jsonb_build_array(jsonb_build_object('round', '2026', 'submission_id', format('sent:%%s', n)))
                from
                    (values (%(district)s::text, %(cluster)s::text, %(village)s::text))
                        as places (district, cluster, village),
                    generate_series(1, %(households)s) as n
                """,
                place._asdict(),
            )
        connection.execute(REPORTS.encode())
        connection.execute(UPLOADS.encode())
    publish(warehouse.database)


def _index(connection: psycopg.Connection, mart: str) -> None:
    """The first column is the key."""
    connection.execute(
        f"""
        do $$
        begin
            execute (
                select format('create unique index on marts_next.{mart} (%I)', attname)
                from pg_attribute where attrelid = 'marts_next.{mart}'::regclass and attnum = 1
            );
        end;
        $$
        """.encode()
    )
