"""The role that the dashboard reads as."""

from alembic import op

revision = "0018_dashboard"
down_revision = "0017_lifecycle"
branch_labels = None
depends_on = None

# Roles belong to the server, not to the database: another warehouse there may have made it, or be making it now.
UPGRADE = """
do $$
begin
    create role kyalo_dashboard nologin;
exception
    when duplicate_object or unique_violation then null;
end;
$$;
grant kyalo_dashboard to current_user;
grant usage on schema marts, ops, ml to kyalo_dashboard;
grant select on all tables in schema marts, ml to kyalo_dashboard;
alter default privileges in schema marts grant select on tables to kyalo_dashboard;
"""


def upgrade() -> None:
    """Create the role, and let it read what the dashboard shows."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Take its rights away; other warehouses of the server may use the role."""
    op.execute("alter default privileges in schema marts revoke select on tables from kyalo_dashboard")
    op.execute("revoke all on all tables in schema marts, ml, ops from kyalo_dashboard")
    op.execute("revoke all on schema marts, ml, ops from kyalo_dashboard")
