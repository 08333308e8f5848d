"""Where personal answers are kept, encrypted, and what the ledger says of those that no contract marks."""

from alembic import op

revision = "0022_personal"
down_revision = "0021_audit"
branch_labels = None
depends_on = None

UPGRADE = """
create table raw.personal (
    ingestion_id text not null,
    row_number bigint not null,
    key_id text not null,
    token text not null,
    primary key (ingestion_id, row_number)
);
comment on table raw.personal is
    'The personal answers of each row that arrived with some, as one encrypted token; in the row itself stand-ins are.';
comment on column raw.personal.key_id is 'Name of the key that the token is encrypted with.';
comment on column raw.personal.token is 'Fernet token of a JSON object: field to answer.';

alter table raw.ingestions
    add column personal_fields jsonb not null default '[]';
comment on column raw.ingestions.personal_fields is
    'Fields that the contract does not mark and that held personal data: field, kind, rows. They were encrypted.';

alter table raw.rejected_rows
    alter column content drop not null;
comment on table raw.rejected_rows is
    'Rows that could not be kept as submissions, each with its line and its reason; their text is in raw.personal.';
comment on column raw.rejected_rows.content is
    'The text of a row from before it was encrypted, until a rotation of keys moves it to raw.personal.';

create table ops.key_rotations (
    rotation_id bigint generated always as identity primary key,
    key_id text not null,
    requested_by text not null,
    started_at timestamptz not null default clock_timestamp(),
    last_object text not null default '',
    renewed_tokens bigint not null default 0,
    renewed_objects bigint not null default 0,
    finished_at timestamptz
);
create unique index key_rotations_one_at_a_time on ops.key_rotations ((true)) where finished_at is null;
comment on table ops.key_rotations is
    'Each time that everything was encrypted anew: with which key, how far it has come, and when it was done.';
comment on column ops.key_rotations.last_object is 'The object up to which the store is done, in order of key.';

create table ops.hash_key (
    fingerprint text not null
);
create unique index hash_key_one_for_ever on ops.hash_key ((true));
comment on table ops.hash_key is
    'The key of hashes that this warehouse was begun with, by a hash of it: none but that one may go on with it.';

-- What came before anything was encrypted is sealed by the worker, as in any rotation.
insert into ops.key_rotations (key_id, requested_by)
select
    '',
    'migration'
where exists (select 1 from raw.ingestions);

comment on table raw.bodies is
    'Single surveys as they came, each as an encrypted token, until they are bundled into an object of the store.';
"""

DOWNGRADE = """
drop table ops.hash_key;
drop table ops.key_rotations;
update raw.rejected_rows
set content = ' '
where content is null;
alter table raw.rejected_rows
    alter column content set not null;
alter table raw.ingestions
    drop column personal_fields;
drop table raw.personal;
"""


def upgrade() -> None:
    """Create the table of tokens; rejected rows keep their text there from now on."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop it, with every personal answer."""
    op.execute(DOWNGRADE)
