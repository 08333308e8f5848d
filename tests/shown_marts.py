"""Everything that the dashboard shows, made up in SQL in the shapes that dbt and the migrations give it: no build."""

from dataclasses import dataclass

import psycopg
import yaml

from orchestration.analyst_views import publish_views
from orchestration.context import Warehouse
from tests.dbt_schemas import give_to_dbt
from warehouse.database import queries
from warehouse.grants import TRANSFORMER, apply_grants
from warehouse.settings import PROJECT_ROOT

MODELS = PROJECT_ROOT / "dbt_project" / "models"
MARTS = (
    "dim_quality_rules", "fct_batch_quality", "fct_quarantined_submissions", "rpt_data_quality", "rpt_district_summary",
    "rpt_village_locations", "rpt_village_priorities",
)  # fmt: skip
HOUSEHOLDS_OF_A_VILLAGE = 25
INDEXES = """
create unique index on marts.rpt_village_priorities (village_id);
create unique index on marts.rpt_village_locations (village_id);
create unique index on marts.fct_quarantined_submissions (submission_id);
create index on marts.fct_quarantined_submissions (status);
analyze;
"""
VILLAGES = """
insert into marts.rpt_village_priorities
select
    format('District %%s/Village %%s', n %% 4, n), format('District %%s', n %% 4), format('Cluster %%s', n %% 40),
    case n when 1 then '=1+1' else format('Village %%s', n) end, null, 1 + n / 4, 25, 120,
    round((5 + 15 * abs(sin(n)))::numeric, 1), n %% 5, 20.0, 30.0, 25, false
from generate_series(1, %(villages)s) as n;
insert into marts.rpt_village_locations
select village_id, district, village, -0.9 + 0.4 * abs(sin(row_number() over ())),
    29.7 + 0.5 * abs(cos(3 * row_number() over ())), 25
from marts.rpt_village_priorities;
insert into marts.rpt_district_summary
select district, sum(households), sum(people), sum(households), sum(households) * 4 / 10, sum(households) * 3 / 10,
    sum(expected_vulnerable_households), 0.4, sum(households_critical), sum(households) * 3 / 10,
    sum(households) * 2 / 10, sum(households) - sum(households_critical) - sum(households) * 5 / 10,
    sum(households), sum(households) * 4 / 10, 2.1, 7700, 9, 0
from marts.rpt_village_priorities
group by district;
"""
QUALITY = """
insert into marts.rpt_data_quality
select format('%%s/%%s/%%s', day, place, who), format('enumerator-%%s', who), format('District %%s', place), 30, 28, 0,
    0, 2, 2, 3, 2900, 3000, 2950, 3000, 29, 30, 890, 900, 30, 30, 94 + 5 * abs(sin(day + who)), current_date - day
from generate_series(0, 180) as day, generate_series(0, 3) as place, generate_series(1, %(enumerators)s) as who;
insert into marts.dim_quality_rules
select format('household_survey.rule_%%s', n), format('rule_%%s', n), 'household_survey', 'validity',
    case n %% 2 when 0 then 'reject' else 'flag' end, 'evaluated', array['household_size'], 'true', 'false',
    format('the size is implausible, kind %%s', n), 100 - n
from generate_series(1, 12) as n;
insert into marts.fct_quarantined_submissions
select format('made-up:%%s', n), 'made_up_1', format('KAN-%%s', n), '2026', format('District %%s', n %% 4),
    format('Village %%s', n), case n %% 4 when 3 then 'discarded' else 'open' end, array['rule_2'],
    '[{"rule": "rule_2", "dimension": "validity", "columns": ["household_size"], "values": {"household_size": "99"},
    "message": "the size is implausible"}]', null, null, null, n, 3, now() - interval '3 days', null
from generate_series(1, %(quarantined)s) as n;
insert into marts.fct_batch_quality
select
    (select min(ingestion_id) from raw.ingestions), 'api', 'held', 400, 120, 3,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 71.5, 30.0, now();
"""
LEDGER = """
insert into raw.ingestions (
    ingestion_id, form, form_version, source, status, filename, content_type, size_bytes, sha256, received_rows,
    stored_rows, duplicate_rows, rejected_rows, received_at, client, device
)
select format('ing_%%s_%%s', to_char(received_at, 'YYYYMMDD'), lpad(n::text, 7, '0')),
    case n %% 9 when 0 then 'quarterly_report' else 'household_survey' end, '1', 'api', 'loaded', null,
    'application/json', 900, md5(n::text), 3, 1, 1, 1, received_at,
    format('office-%%s', n %% 12), format('tablet-%%s', n %% 300)
from (
    select n, now() - interval '360 days' * (1 - n / %(ingestions)s::double precision) as received_at
    from generate_series(1, %(ingestions)s) as n
) as ingestions;
insert into raw.rejected_rows
select ingestion_id, 1, 'row.ragged', 'It has 3 cells.'
from raw.ingestions
where right(ingestion_id, 7)::integer %% 20 = 0;
"""
RUNS = """
insert into ops.pipeline_runs (
    run_id, status, started_at, finished_at, changed_rows, error_code, error_message, requested_by
)
select format('made-up-%%s', n), case n when 3 then 'failed' else 'succeeded' end, now() - n * interval '1 day',
    now() - n * interval '1 day' + interval '60 seconds', '{"marts.dim_households": 412}',
    case n when 3 then 'build.failed' end, case n when 3 then 'The model fct_households could not be built.' end,
    'schedule'
from generate_series(1, 400) as n;
insert into ops.pipeline_steps (run_id, step, status, started_at, finished_at, rows_in, rows_out, did)
select run_id, step, 'succeeded', started_at + began * interval '1 second', started_at + ended * interval '1 second',
    412, 408, 'what it did'
from ops.pipeline_runs,
    (values ('load', 0, 1), ('build', 1, 40), ('train', 40, 41), ('score', 41, 43), ('watch', 43, 44),
    ('marts', 43, 57), ('publish', 57, 58), ('export', 58, 60), ('check', 58, 59)) as steps (step, began, ended);
insert into ops.dbt_results (run_id, step, node_id, node_name, resource_type, status, seconds, rows_affected, failures)
select run_id, 'build', format('model.kyalo.model_%%s', n), format('model_%%s', n), 'model', 'success', n, 412, null
from ops.pipeline_runs, generate_series(1, 50) as n;
insert into ops.alerts (alert, subject, severity, message, runbook, resolved_at)
select 'disk_full', format('host-%%s', n), 'warning', '87%% of the disk is taken.', 'docs/runbooks.md#disk-full',
    case when n > 2 then clock_timestamp() end
from generate_series(1, 300) as n;
"""
MODEL = """
insert into ml.models (model_name, model_version, track, algorithm, object_key, sha256, size_bytes, feature_names,
    training_fingerprint, metrics, metadata, run_id, artifact_kind)
values ('vulnerability_screening', 1, 'screening', 'gradient_boosting', 'models/1', repeat('0', 64), 1,
    '{phones_owned}', repeat('0', 64), '{}',
    '{"meaning": "A prediction from non-monetary indicators."}', 'made-up-1', 'terms');
insert into ml.model_events (track, model_name, model_version, event, actor, reason, run_id)
values ('screening', 'vulnerability_screening', 1, 'promoted', 'kyalo', 'It was the newest.', 'made-up-1');
insert into ml.evaluations
select 'vulnerability_screening', 1, split, 'all', 'all', metric, value, value - 0.04, value + 0.04
from unnest(array['random', 'village', 'district']) as split,
    (values ('accuracy', 0.7), ('auc', 0.77), ('n', 1466), ('exclusion_error', 0.38), ('inclusion_error', 0.33),
    ('calibration_error', 0.025), ('calibration_error_by_chance', 0.03), ('calibration_gap', 0.01))
    as measures (metric, value);
insert into ml.evaluations
select 'vulnerability_screening', 1, 'village', 'district', format('District %%s', n), 'calibration_gap', 0.02, -0.02,
    0.06
from generate_series(0, 3) as n;
insert into ml.drift_checks (run_id, track, model_name, model_version, feature, households, psi, psi_limit, has_drifted)
select 'made-up-1', 'screening', 'vulnerability_screening', 1, format('feature_%%s', n), 412, 0.02 * n, 0.15, n > 7
from generate_series(1, 40) as n;
insert into ml.performance_checks (run_id, track, model_name, model_version, kind, households, accuracy, checked_at)
select format('made-up-%%s', n), 'screening', 'vulnerability_screening', 1, 'expected', 412, 0.7,
    now() - n * interval '1 day'
from generate_series(1, 40) as n;
"""


@dataclass(frozen=True)
class Size:
    """How much to make up."""

    villages: int = 60
    enumerators: int = 3
    quarantined: int = 60
    ingestions: int = 200

    @classmethod
    def of(cls, households: int) -> "Size":
        """As much as so many households bring with them, each posted by itself."""
        return cls(households // HOUSEHOLDS_OF_A_VILLAGE, 200, households // 40, households)


def make_up(warehouse: Warehouse, size: Size | None = None) -> None:
    """Fill everything that the pages read."""
    with warehouse.database.transaction() as connection:
        for mart in MARTS:
            create_as_dbt_does(connection, "marts", mart)
        for statements in (LEDGER, VILLAGES, QUALITY, RUNS, MODEL):
            for statement in statements.split(";\n")[:-1]:
                connection.execute(statement.encode(), vars(size or Size()))
        connection.execute(INDEXES.encode())
        connection.execute(f"set local role {TRANSFORMER}".encode())
        connection.execute(queries("publishing")["note_tables"], {"tables": [*MARTS]})
        publish_views(connection)
        apply_grants(connection, ["marts", "analyst"])


def create_as_dbt_does(connection: psycopg.Connection, schema: str, model: str, *, into: str = "") -> None:
    """Create the table of a model from the columns that its YAML names, in the schema of its layer or another."""
    (described,) = yaml.safe_load((MODELS / schema / f"{model}.yml").read_text())["models"]
    columns = [f'"{column["name"]}" {column["data_type"]}' for column in described["columns"]]
    connection.execute(f"create table {into or schema}.{model} ({', '.join(columns)})".encode())
    give_to_dbt(connection)
