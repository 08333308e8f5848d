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
insert into marts_next.fct_quarantined_submissions (submission_id, household_id, district, village, status)
select 'kept:' || household_id, household_id, district, village, 'open' from marts_next.dim_households;
insert into marts_next.rpt_data_quality (data_quality_id, enumerator_id, district, submissions, quality_score,
    received_date)
select district || '/personal:someone', 'personal:someone', district, households, 90, '2026-11-01'
from marts_next.rpt_district_summary;
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
