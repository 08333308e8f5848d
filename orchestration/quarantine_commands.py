"""The commands `kyalo quarantine ...`: what a rule keeps out and why, and what people decide about it."""

import getpass
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from orchestration.console import AsJson, count, out, print_json
from orchestration.context import open_warehouse

if TYPE_CHECKING:
    from ingest_api.deciding import Verdict
    from ingest_api.review import Decision, Quarantine, QuarantinedSubmission, SubmissionDetails
    from warehouse.database import Database

LINE = "{:>5}  {:10}  {:12}  {:18}  {:40}  {}"
DONE = {"release": "released", "discard": "discarded", "reopen": "opened again"}
ASK = "?"
app = typer.Typer(help="Look at what a rule keeps out, and decide about it.", no_args_is_help=True)

Shown = Literal["open", "released", "corrected", "discarded", "all"]
SubmissionID = Annotated[str, typer.Argument(help="The submission, as `kyalo quarantine list` shows it.")]
SubmissionIDs = Annotated[
    list[str] | None,
    typer.Argument(help="Submissions, as `kyalo quarantine list` shows them.", metavar="SUBMISSION..."),
]
OfBatch = Annotated[str | None, typer.Option("--batch", help="The batch (ingestion) that a quality gate holds.")]
OfRule = Annotated[
    str | None,
    typer.Option(
        "--rule", help="Every submission that failed this rule; only those that failed no other are released."
    ),
]
Reason = Annotated[str, typer.Option(help="Why: whoever reads it later will ask.")]
By = Annotated[str | None, typer.Option(help="Who decides; the login name when omitted.")]


@app.command("list")
def list_all(
    status: Annotated[Shown, typer.Option(help="Which of them.")] = "open",
    rule: Annotated[str | None, typer.Option(help="Only those that failed this rule.")] = None,
    district: Annotated[str | None, typer.Option(help="Only those of this district.")] = None,
    batch: Annotated[str | None, typer.Option(help="Only those of this ingestion.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the oldest first.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List submissions in quarantine with their age and the rules that they failed, and the batches that are held."""
    from ingest_api.review import Filters, list_quarantine
    from ingest_api.rules import require_rule

    filters = Filters(None if status == "all" else status, rule, district, batch)
    with open_warehouse() as warehouse:
        if rule:
            require_rule(warehouse.database, rule)
        quarantine = list_quarantine(warehouse.database, filters, limit=limit)
    print_json(asdict(quarantine)) if as_json else _print_quarantine(quarantine)


@app.command()
def show(submission_id: SubmissionID, as_json: AsJson = False) -> None:
    """Show one submission: the reasons with the values, what was decided, and its answers as they came."""
    from ingest_api.review import get_details

    with open_warehouse() as warehouse:
        details = get_details(warehouse.database, submission_id)
    print_json(asdict(details)) if as_json else _print_details(details)


@app.command()
def release(
    reason: Reason,
    submission_ids: SubmissionIDs = None,
    batch: OfBatch = None,
    rule: OfRule = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Take submissions, or a held batch, as they are; a rule that a submission fails later holds it again."""
    from ingest_api.deciding import Verdict

    _decide(Verdict("release", by or getpass.getuser(), reason), submission_ids, batch, rule, as_json=as_json)


@app.command()
def discard(
    reason: Reason,
    submission_ids: SubmissionIDs = None,
    batch: OfBatch = None,
    rule: OfRule = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Leave submissions, or a held batch, out for good."""
    from ingest_api.deciding import Verdict

    _decide(Verdict("discard", by or getpass.getuser(), reason), submission_ids, batch, rule, as_json=as_json)


@app.command()
def reopen(
    reason: Reason,
    submission_ids: SubmissionIDs = None,
    batch: OfBatch = None,
    rule: OfRule = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Take back what was decided about submissions, or about a batch."""
    from ingest_api.deciding import Verdict

    _decide(Verdict("reopen", by or getpass.getuser(), reason), submission_ids, batch, rule, as_json=as_json)


@app.command()
def correct(
    submission_id: SubmissionID,
    reason: Reason,
    changes: Annotated[
        list[str],
        typer.Option(
            "--set",
            help="FIELD=VALUE, as often as needed; no value clears the field; ? asks for it, so that what is personal"
            " stands in no list of processes.",
        ),
    ],
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Store a submission with other answers in the place of one in quarantine; the next build judges it."""
    from ingest_api.deciding import Verdict, correct_submission

    verdict = Verdict("correct", by or getpass.getuser(), reason)
    answers = dict(_read_change(change) for change in changes)
    with open_warehouse() as warehouse:
        decision = correct_submission(warehouse.database, submission_id, answers, verdict, source="cli")
    if as_json:
        print_json(asdict(decision))
        return
    out.print(f"done: {decision.corrected_by} stands in its place; `kyalo run` judges it", soft_wrap=True)


def _read_change(change: str) -> tuple[str, str]:
    field, separator, value = change.partition("=")
    if not separator:
        raise typer.BadParameter(f"{change} is not FIELD=VALUE.", param_hint="--set")
    return field.strip(), typer.prompt(field.strip(), err=True) if value == ASK else value


def _decide(
    verdict: "Verdict", submission_ids: list[str] | None, batch: str | None, rule: str | None, *, as_json: bool
) -> None:
    if sum(map(bool, (submission_ids, batch, rule))) != 1:
        raise typer.BadParameter("Name submissions, or a --batch, or a --rule: one of the three.")
    with open_warehouse() as warehouse:
        decisions, left = _pass_verdict(warehouse.database, verdict, submission_ids or [], batch, rule)
    if as_json:
        print_json([asdict(decision) for decision in decisions])
        return
    if left:
        out.print(f"{left:,} failed other rules as well: look at them one by one", highlight=False)
    what = f"batch {batch}" if batch else count(len(decisions), "submission")
    out.print(f"done: {DONE[verdict.action]}: {what}; `kyalo run` builds what follows from it", highlight=False)


def _pass_verdict(
    database: "Database", verdict: "Verdict", submission_ids: list[str], batch: str | None, rule: str | None
) -> tuple[list["Decision"], int]:
    from ingest_api.deciding import decide_batch, decide_by_rule, decide_submissions
    from ingest_api.rules import require_rule

    if rule:
        require_rule(database, rule)
        return decide_by_rule(database, rule, verdict)
    decisions = (
        [decide_batch(database, batch, verdict)] if batch else decide_submissions(database, submission_ids, verdict)
    )
    return decisions, 0


def _print_quarantine(quarantine: "Quarantine") -> None:
    """One line each, however wide: an identity is to be copied whole."""
    typer.echo(LINE.format("days", "status", "district", "household", "failed", "submission"))
    for found in quarantine.submissions:
        status = f"{found.status}{'*' if found.awaits_build else ''}"
        place = (found.district or "")[:12], (found.household_id or "")[:18]
        typer.echo(LINE.format(found.age_days, status, *place, ", ".join(found.failed_rules), found.submission_id))
    for batch in quarantine.batches:
        told = f"{batch.rejected_submissions:,} of {count(batch.submissions, 'submission')} rejected"
        out.print(f"held: batch {batch.ingestion_id}, {told}, {batch.filename or 'no file'}", highlight=False)
    if any(found.awaits_build for found in quarantine.submissions):
        out.print("* takes effect at the next build")
    counts = ", ".join(f"{count:,} {status}" for status, count in quarantine.counts.items())
    out.print(f"done: {len(quarantine.submissions):,} shown; {counts}", highlight=False)


def _print_details(details: "SubmissionDetails") -> None:
    found = details.submission
    out.print(f"submission  {found.submission_id}", highlight=False, soft_wrap=True)
    out.print(f"received    {found.received_at:%Y-%m-%d %H:%M} ({found.age_days} days ago)", highlight=False)
    out.print(f"upload      {found.ingestion_id}, line {found.row_number}", highlight=False)
    out.print(f"household   {found.household_id or ''} {found.village or ''} {found.district or ''}", highlight=False)
    _print_reasons(found)
    for decision in details.decisions:
        told = f"{decision.decision} by {decision.decided_by}: {decision.reason}"
        out.print(f"decided     {decision.decided_at:%Y-%m-%d %H:%M} {told}", highlight=False, soft_wrap=True)
    for name, answer in details.answers.items():
        out.print(f"  {name} = {answer}", highlight=False, soft_wrap=True)
    later = "; the next build sees it" if found.awaits_build else ""
    corrected = f" by {found.corrected_by}" if found.corrected_by else ""
    out.print(f"done: it is {found.status}{corrected}{later}", highlight=False, soft_wrap=True)


def _print_reasons(found: "QuarantinedSubmission") -> None:
    for reason in found.reasons:
        values = ", ".join(f"{name} = {value}" for name, value in reason["values"].items())
        told = f"{reason['rule']} ({reason['dimension']}): {reason['message']}"
        out.print(f"failed      {told} [{values}]", highlight=False, soft_wrap=True)
