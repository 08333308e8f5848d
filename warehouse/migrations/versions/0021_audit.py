"""The log of who saw and changed what."""

from alembic import op

revision = "0021_audit"
down_revision = "0020_roles"
branch_labels = None
depends_on = None

UPGRADE = """
create table ops.audit_chains (
    position bigint primary key,
    chain_id text not null unique,
    opened_at timestamptz not null check (opened_at >= '1970-01-01 00:00+00' and opened_at < '9999-01-01 00:00+00'),
    opened_by text not null,
    previous_hash bytea not null,
    hash bytea not null
);
comment on table ops.audit_chains is
    'One row for each chain of the audit log, in the order in which they were opened; itself a chain.';
comment on column ops.audit_chains.position is 'Its place, from 1.';
comment on column ops.audit_chains.chain_id is 'The chain: the entries of one writer.';
comment on column ops.audit_chains.opened_at is 'When it was opened.';
comment on column ops.audit_chains.opened_by is 'The process and host that writes it.';
comment on column ops.audit_chains.previous_hash is 'The hash of the chain that was opened before it.';
comment on column ops.audit_chains.hash is
    'HMAC-SHA256 of all that stands before; the first entry of the chain follows it.';

create table ops.audit_log (
    chain_id text not null references ops.audit_chains (chain_id),
    sequence bigint not null check (sequence > 0),
    at timestamptz not null check (at >= '1970-01-01 00:00+00' and at < '9999-01-01 00:00+00'),
    door text not null check (door in ('api', 'dashboard', 'cli')),
    action text not null,
    actor text check (char_length(actor) <= 1000),
    source text check (char_length(source) <= 1000),
    subject text check (char_length(subject) <= 1000),
    result text not null check (result in ('begun', 'allowed', 'refused', 'failed')),
    code text,
    http_status smallint,
    records integer,
    households text[],
    request_id text,
    previous_hash bytea not null,
    hash bytea not null,
    primary key (chain_id, sequence)
);
comment on table ops.audit_log is
    'One row for each time that somebody saw or changed something, or was refused; nothing of what it holds.';
comment on column ops.audit_log.chain_id is 'The chain that the entry is of.';
comment on column ops.audit_log.sequence is 'Its place in the chain, from 1.';
comment on column ops.audit_log.at is 'When.';
comment on column ops.audit_log.door is 'By way of what: api, dashboard or cli.';
comment on column ops.audit_log.action is 'What was asked for, such as submission.show.';
comment on column ops.audit_log.actor is
    'The client, or the user of the operating system at the door cli; null where nobody knows.';
comment on column ops.audit_log.source is 'The address that it came from; at the door cli the host.';
comment on column ops.audit_log.subject is 'What it was about: an upload, a submission, a client, a household, a file.';
comment on column ops.audit_log.result is 'allowed, refused or failed; begun where a command has only started.';
comment on column ops.audit_log.code is 'The code of the error.';
comment on column ops.audit_log.http_status is 'The status of the answer; null where there was none.';
comment on column ops.audit_log.records is 'How many records were shown or changed, where that is known.';
comment on column ops.audit_log.households is 'The households that were shown or changed, where they are known.';
comment on column ops.audit_log.request_id is 'The request, as the log of the process names it.';
comment on column ops.audit_log.previous_hash is 'The hash of the entry before it.';
comment on column ops.audit_log.hash is 'HMAC-SHA256 of all that stands before.';

create table ops.audit_heads (
    chain_id text primary key,
    sequence bigint not null,
    hash bytea not null,
    seal bytea not null
) with (fillfactor = 50);
comment on table ops.audit_heads is 'One row for the end of each chain, and one for the end of the chain of chains.';
comment on column ops.audit_heads.chain_id is 'The chain; empty for the chain of chains.';
comment on column ops.audit_heads.sequence is 'The place of its last entry, 0 where it has none.';
comment on column ops.audit_heads.hash is 'The hash of its last entry.';
comment on column ops.audit_heads.seal is 'HMAC-SHA256 of all that stands before.';

create function ops.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '%.% is only ever added to', tg_table_schema, tg_table_name
        using errcode = 'insufficient_privilege';
end;
$$;
comment on function ops.refuse_change is 'Refuses to change or delete what is only ever added to.';

create trigger audit_log_is_only_added_to before update or delete or truncate on ops.audit_log
for each statement execute function ops.refuse_change();
create trigger audit_chains_are_only_added_to before update or delete or truncate on ops.audit_chains
for each statement execute function ops.refuse_change();
create trigger audit_heads_are_not_deleted before delete or truncate on ops.audit_heads
for each statement execute function ops.refuse_change();
"""

DOWNGRADE = """
drop table ops.audit_heads, ops.audit_log, ops.audit_chains;
drop function ops.refuse_change();
"""


def upgrade() -> None:
    """Create the log, its chains and their ends."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them, with all that was logged."""
    op.execute(DOWNGRADE)
