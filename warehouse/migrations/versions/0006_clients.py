"""Registered clients: who may send and read, and how they prove it."""

from alembic import op

revision = "0006_clients"
down_revision = "0005_jobs"
branch_labels = None
depends_on = None

UPGRADE = """
create table ops.clients (
    name text primary key,
    role text not null check (role in ('device', 'office', 'analyst', 'admin')),
    generation integer not null default 1,
    secret_hash text not null,
    url_token_hash bytea unique check (octet_length(url_token_hash) = 32),
    created_at timestamptz not null default now(),
    rotated_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz
);
comment on table ops.clients is 'Who may use the API: devices, offices, analysts and administrators.';
comment on column ops.clients.generation is 'Goes up when the secret changes; tokens of an earlier one are refused.';
comment on column ops.clients.secret_hash is 'argon2 hash of the secret, which is kept nowhere.';
comment on column ops.clients.url_token_hash is 'SHA-256 of the token in the OpenRosa address of a device.';
comment on column ops.clients.last_used_at is 'When it last asked for anything, to a minute or so.';

create function ops.tell_clients_changed() returns trigger language plpgsql as $$
begin
    notify kyalo_clients;
    return null;
end
$$;
create trigger tell_clients_changed
after insert or delete or truncate or update of name, role, generation, secret_hash, url_token_hash, revoked_at
on ops.clients for each statement execute function ops.tell_clients_changed();
"""


def upgrade() -> None:
    """Create the table, and let it tell every API process of a change."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop both."""
    op.execute("drop table ops.clients; drop function ops.tell_clients_changed()")
