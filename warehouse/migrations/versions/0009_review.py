"""What people decide about quarantined submissions and held batches."""

from alembic import op

revision = "0009_review"
down_revision = "0008_objects"
branch_labels = None
depends_on = None

UPGRADE = """
create table review.decisions (
    decision_id bigint generated always as identity primary key,
    submission_id text,
    ingestion_id text,
    decision text not null check (decision in ('release', 'correct', 'discard', 'reopen')),
    rules text[] not null default '{}',
    corrected_by text,
    decided_by text not null check (btrim(decided_by) <> ''),
    decided_at timestamptz not null default now(),
    reason text not null check (btrim(reason) <> ''),
    constraint decisions_about_one_thing check (num_nonnulls(submission_id, ingestion_id) = 1),
    constraint decisions_waive_by_release check (
        (decision = 'release' and submission_id is not null) = (cardinality(rules) > 0)
    ),
    constraint decisions_name_corrections check (
        (decision = 'correct') = (corrected_by is not null and submission_id is not null)
    )
);
create index decisions_by_submission on review.decisions (submission_id, decision_id) where submission_id is not null;
create index decisions_by_ingestion on review.decisions (ingestion_id, decision_id) where ingestion_id is not null;
comment on table review.decisions is
    'What was decided about quarantined submissions and held batches, by whom and why; the latest counts.';
comment on column review.decisions.decision_id is 'Number of the decision; a later one has a higher number.';
comment on column review.decisions.submission_id is 'The submission decided about; null where it is a batch.';
comment on column review.decisions.ingestion_id is 'The batch decided about; null where it is one submission.';
comment on column review.decisions.decision is
    'release: take it as it is; correct: another submission stands in its place; discard: never take it; '
    'reopen: the decision before counts no more.';
comment on column review.decisions.rules is
    'The rules that a release waives: all that the submission failed then. One that fails later holds it again.';
comment on column review.decisions.corrected_by is 'The submission that a correction made.';
comment on column review.decisions.decided_by is 'Who decided: a client of the API, or a person on the machine.';
comment on column review.decisions.reason is 'Why, in the words of who decided.';

create function review.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'Decisions are never changed: a new one takes the place of an old one.';
end
$$;
create trigger refuse_change before update or delete or truncate
on review.decisions for each statement execute function review.refuse_change();

alter table raw.ingestions add column correction_of text;
comment on column raw.ingestions.correction_of is
    'The upload with whose submission the corrections began of which a reviewer made this one.';
"""


def upgrade() -> None:
    """Create the table, to which rows can only be added, and a place in the ledger for what a correction corrects."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop it, with every decision in it."""
    op.execute("drop table review.decisions; drop function review.refuse_change()")
    op.execute("alter table raw.ingestions drop column correction_of")
