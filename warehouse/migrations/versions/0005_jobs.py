"""The job queue: the tables and functions of procrastinate, in a schema of their own.

A release of procrastinate that changes them brings migrations of its own; a revision of ours must then run those.
"""

from alembic import op

revision = "0005_jobs"
down_revision = "0004_identities"
branch_labels = None
depends_on = None

# Its functions and triggers name tables without their schema, and ours must work on anybody's connection.
BIND_FUNCTIONS = """
do $$
declare
    function regprocedure;
begin
    for function in select oid from pg_proc where pronamespace = 'jobs'::regnamespace loop
        execute format('alter function %s set search_path = jobs, pg_temp', function);
    end loop;
end;
$$
"""


def upgrade() -> None:
    """Create the schema jobs."""
    from procrastinate.schema import SchemaManager  # no other revision needs it

    for statement in (
        "create schema jobs",
        "comment on schema jobs is 'The job queue; procrastinate owns what is in it.'",
        "set local search_path = jobs",
        SchemaManager.get_schema(),
        BIND_FUNCTIONS,
        "set local search_path to default",
    ):
        op.get_bind().exec_driver_sql(statement, execution_options={"no_parameters": True})


def downgrade() -> None:
    """Drop it; files that wait for their landing still stand in the ledger."""
    op.execute("drop schema jobs cascade")
