"""Identities of 128 bits, repeated rows, and what more the ledger tells of an upload."""

from alembic import op

from warehouse.contract import list_forms, load_contract

revision = "0004_identities"
down_revision = "0003_ops"
branch_labels = None
depends_on = None

# All that `str.strip` of Python takes away.
SPACES = "".join(chr(code) for code in (*range(9, 14), *range(28, 33), 133, 160, 5760, *range(8192, 8203),
                                        8232, 8233, 8239, 8287, 12288))  # fmt: skip

UPGRADE = """
alter table raw.ingestions drop constraint ingestions_source_check;
alter table raw.ingestions
    add constraint ingestions_source_check check (source in ('api', 'cli', 'openrosa', 'inbox')),
    add column client text,
    add column device text,
    add column idempotency_key text,
    add column options jsonb not null default '{}';
create index ingestions_by_idempotency_key on raw.ingestions (client, idempotency_key)
where idempotency_key is not null;
comment on column raw.ingestions.client is 'Who sent it: the registered client.';
comment on column raw.ingestions.device is 'The device that it says it is; nobody has checked.';
comment on column raw.ingestions.idempotency_key is 'The name that the client gave the request.';
comment on column raw.ingestions.options is 'How to read the file: its format, the sheet.';

create table raw.ingestion_progress (
    ingestion_id text primary key,
    landed_rows bigint not null,
    updated_at timestamptz not null default now()
);
comment on table raw.ingestion_progress is
    'Rows read so far of files that are being landed; written outside their transaction.';

create table raw.repeated_rows (
    ingestion_id text not null,
    row_number bigint not null,
    identity uuid not null,
    primary key (ingestion_id, row_number)
);
comment on table raw.repeated_rows is
    'Rows that were stored already when they arrived: their place, and the identity under which they are stored.';

-- Bodies stay for a minute: to compress each would cost more than all the rest of its storing.
alter table raw.bodies alter column body set storage external;
alter table raw.bodies set (toast_tuple_target = 8160);

alter table raw.submission_keys rename to old_submission_keys;
create table raw.submission_keys (
    identity uuid not null,
    form text not null,
    content_hash uuid not null,
    ingestion_id text not null,
    row_number bigint not null
);
"""

MOVE = """
create temporary table rehashed on commit drop as
select
    submission_key,
    ingestion_id,
    row_number,
    substr(encode(sha256(convert_to({canonical}, 'UTF8')), 'hex'), 1, 32) as content_hash
from raw.{form};

alter table raw.{form} drop constraint if exists {form}_ingestion_id_fkey;
update raw.{form} as survey
set
    submission_key = case
        when survey.submission_key like 'content:%' then 'content:' || rehashed.content_hash
        else survey.submission_key
    end,
    content_hash = rehashed.content_hash
from rehashed
where survey.ingestion_id = rehashed.ingestion_id and survey.row_number = rehashed.row_number;
drop table rehashed;

insert into raw.submission_keys
select
    case
        when submission_key like 'content:%' then content_hash::uuid
        else substr(encode(sha256(convert_to('{form}' || chr(28) || submission_key, 'UTF8')), 'hex'), 1, 32)::uuid
    end,
    '{form}',
    content_hash::uuid,
    ingestion_id,
    row_number
from raw.{form};
"""

FINISH = """
alter table raw.submission_keys add primary key (identity);
drop table raw.old_submission_keys;
comment on table raw.submission_keys is
    'The identity of every stored submission; its primary key is what keeps a re-send from being stored twice.';
"""


def upgrade() -> None:
    """Give every stored submission its new identity; built models are made anew from it."""
    op.execute(UPGRADE)
    for form in list_forms():
        columns = _columns(form)
        if columns:
            op.execute(MOVE.format(form=form, canonical=_canonical(form, columns)).replace(":", r"\:"))
    op.execute(FINISH)
    op.execute("drop schema if exists staging cascade")


def downgrade() -> None:
    """Not possible for the identities, which were computed in another way; the tables go with the schema raw."""
    op.execute("drop table raw.repeated_rows, raw.ingestion_progress")


def _columns(form: str) -> set[str]:
    found = op.get_bind().exec_driver_sql(
        "select column_name from information_schema.columns where table_schema = 'raw' and table_name = %s", (form,)
    )
    return {row[0] for row in found}


def _canonical(form: str, columns: set[str]) -> str:
    """The text whose hash is a row's content: what `ingest_api.records` joins."""
    spaces = "||".join(f"chr({ord(space)})" for space in SPACES)

    def escaped(text: str) -> str:
        for code, digit in ((30, 0), (31, 1), (29, 2)):
            text = f"replace({text}, chr({code}), chr(30) || '{digit}')"
        return text

    cells = ", ".join(
        escaped(f"btrim(coalesce({name}, ''), {spaces})") if name in columns else "''"
        for name in load_contract(form).names
    )
    extras = (
        f"select string_agg(chr(29) || {escaped('key')} || chr(31)"  # noqa: S608 - names of a contract
        f" || {escaped(f'btrim(value, {spaces})')}, ''"
        ' order by key collate "C") from jsonb_each_text(extras)'
    )
    return f"rtrim(concat_ws(chr(31), '{form}', {cells}), chr(31)) || coalesce(({extras}), '')"
