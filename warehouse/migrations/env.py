"""Alembic's entry: runs the revisions on the connection that `run_alembic` hands over."""

from alembic import context
from sqlalchemy import text

connection = context.config.attributes["connection"]
connection.execute(text("create schema if not exists ops"))
context.configure(connection=connection, version_table="migrations", version_table_schema="ops")
with context.begin_transaction():
    context.run_migrations()
