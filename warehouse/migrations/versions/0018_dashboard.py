"""The role that the dashboard reads as, and what it may see."""

from alembic import op
from sqlalchemy.exc import ProgrammingError

from warehouse.errors import ConfigurationError

revision = "0018_dashboard"
down_revision = "0017_lifecycle"
branch_labels = None
depends_on = None

# Roles belong to the server, not to the database: another warehouse there may be making it at this moment.
ROLE = """
do $$
begin
    if to_regrole('kyalo_dashboard') is null then
        begin
            create role kyalo_dashboard nologin;
        exception
            when duplicate_object or unique_violation then null;
        end;
    end if;
    if not pg_has_role(current_user, 'kyalo_dashboard', 'set') then
        grant kyalo_dashboard to current_user;
    end if;
end;
$$;
"""

# Of the ledger it sees what came and what became of it, never an answer; of the clients one at a time, to sign it in.
GRANTS = """
grant usage on schema marts, ml, ops, raw, review to kyalo_dashboard;
grant select on all tables in schema marts to kyalo_dashboard;
alter default privileges in schema marts grant select on tables to kyalo_dashboard;
grant select on
    ml.champion_models, ml.drift_checks, ml.evaluations, ml.model_events, ml.models, ml.performance_checks, ml.policies,
    ops.alerts, ops.data_quality_metrics, ops.dbt_results, ops.exports, ops.health, ops.health_components,
    ops.heartbeats, ops.model_performance_metrics, ops.pipeline_runs, ops.pipeline_steps, ops.published_ingestions,
    ops.schedules, ops.system_metrics,
    review.decisions
to kyalo_dashboard;
grant select (
    ingestion_id, form, source, status, filename, received_rows, stored_rows, duplicate_rows, rejected_rows,
    conflict_rows, error_code, error_message, received_at, loaded_at, client, device
) on raw.ingestions to kyalo_dashboard;
grant select (ingestion_id, row_number, reason_code) on raw.rejected_rows to kyalo_dashboard;
"""

OBJECTS = """
create function ops.find_client(client_name text)
returns table (
    name text, role text, generation integer, secret_hash text, created_at timestamptz, revoked_at timestamptz
)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
    select clients.name, clients.role, clients.generation, clients.secret_hash, clients.created_at, clients.revoked_at
    from ops.clients
    where clients.name = client_name
$$;
comment on function ops.find_client is 'The client of a name, for who may not read the table of clients.';
revoke all on function ops.find_client from public;
grant execute on function ops.find_client to kyalo_dashboard;
"""


def upgrade() -> None:
    """Create the role, let it read what the dashboard shows, and make that fast."""
    _make_role()
    op.execute(OBJECTS)
    op.execute(GRANTS)


def downgrade() -> None:
    """Take its rights away; other warehouses of the server may use the role."""
    op.execute("drop function ops.find_client")
    op.execute("alter default privileges in schema marts revoke select on tables from kyalo_dashboard")
    op.execute("revoke all on all tables in schema marts, ml, ops, raw, review from kyalo_dashboard")
    op.execute("revoke all on schema marts, ml, ops, raw, review from kyalo_dashboard")


def _make_role() -> None:
    """Create the role where there is none, and let the migrator take it on."""
    try:
        with op.get_bind().begin_nested():
            op.execute(ROLE)
    except ProgrammingError as error:
        migrator: str = op.get_bind().exec_driver_sql("select current_user").scalar_one()
        raise ConfigurationError(
            f"The dashboard reads as the role kyalo_dashboard, which {migrator} may not create or take on.",
            code="database.no_dashboard_role",
            remedy="Let an administrator of the server say: create role kyalo_dashboard nologin;"
            f' grant kyalo_dashboard to "{migrator}".',
        ) from error
