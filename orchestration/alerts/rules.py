"""What may be wrong: one rule for each alert, as data.

A rule's statement in `warehouse/sql/alert_rules.sql` bears its name, and gives a row for each thing that is wrong now:
its subject, and the figures that the message is made of.
"""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["info", "warning", "error", "critical"]
RUNBOOK = "docs/runbooks.md"
DATA_STOPPED = ("gate_closed", "batch_held")


@dataclass(frozen=True)
class Rule:
    """One kind of alert.

    Attributes:
        name: of the alert, of its statement and of its section in the runbook.
        message: what is wrong, with the columns of the statement in braces.
        needs: tables that the statement reads and that only a build makes; before it nothing is looked for.
        explained_by: rules that tell the cause; where one of them finds something this one is not opened beside it.
        follows_runs: whether only a run changes what it reads: it is looked at once after each, as it reads much.
        quotes: whether its message repeats an error or a file's name, in which a household may be named.
    """

    name: str
    severity: Severity
    message: str
    needs: tuple[str, ...] = ()
    explained_by: tuple[str, ...] = ()
    follows_runs: bool = False
    quotes: bool = False

    @property
    def runbook(self) -> str:
        """Where the runbook says what to do."""
        return f"{RUNBOOK}#{self.name}"


RULES = (
    Rule(
        "late_run",
        "error",
        "No run has succeeded for {hours:,} hours, since {since}; at most {limit_hours:,} are wanted.",
    ),
    Rule("run_failed", "error", "Run {run_id} failed ({error_code}): {error_message}", quotes=True),
    Rule("failure_rate", "error", "{failed} of the last {runs} runs failed, more than {limit_percent} %."),
    Rule("gate_closed", "error", "Run {run_id} published nothing. {error_message}", quotes=True),
    Rule(
        "batch_held",
        "warning",
        "Batches held by a quality gate: {batches:,}, with {submissions:,} submissions; the newest is {newest}.",
        needs=("marts.fct_batch_quality", "marts.rpt_ingestions"),
        explained_by=("gate_closed",),
        follows_runs=True,
    ),
    Rule(
        "backlog",
        "warning",
        "Uploads that wait to be landed: {uploads:,}, the oldest for {minutes:,} minutes; {limit_minutes} are allowed.",
        explained_by=("store_away",),
    ),
    Rule(
        "upload_failed",
        "error",
        "Uploads of the last week that could not be landed: {uploads:,}; the newest is {newest}.",
    ),
    Rule(
        "rows_lost",
        "critical",
        "Published uploads with other rows in the marts than in the ledger: {ingestions:,}; {staged:,} for {stored:,}.",
        needs=("marts.rpt_ingestions",),
        follows_runs=True,
    ),
    Rule(
        "prediction_coverage",
        "error",
        "{missing:,} of {households:,} households have no prediction, though a model scores.",
        needs=("marts.rpt_district_summary",),
    ),
    Rule(
        "wrong_champion",
        "critical",
        "What holds of {subject} was said by version {scored_version}, but version {champion_version} is the champion.",
        follows_runs=True,
    ),
    Rule(
        "stale_model",
        "warning",
        "The champion of {subject}, version {model_version}, is {days:,} days old, older than {limit_days:,}.",
    ),
    Rule(
        "accuracy_low",
        "error",
        "The {kind} accuracy of {subject} is at most {kept_percent} % of what it was at training;"
        " {limit_percent} % are wanted.",
        explained_by=("answers_changed", "new_district"),
    ),
    Rule(
        "model_drift",
        "warning",
        "Households scored for {subject} differ from the training rows in the last {checks} checks: {features}.",
        explained_by=("answers_changed", "income_missing", "new_district"),
    ),
    Rule("silent_process", "critical", "{subject} has not been heard of for {seconds:,} seconds: it is dead or stuck."),
    Rule("store_away", "critical", "The object store does not answer: {problem}"),
    Rule(
        "quality_low",
        "warning",
        "The {submissions:,} submissions of {day} have a quality score of {score}; {limit} is wanted.",
        needs=("marts.rpt_data_quality",),
        explained_by=(*DATA_STOPPED, "answers_changed", "income_missing", "duplicate_identifiers"),
        follows_runs=True,
    ),
    Rule(
        "answers_changed",
        "warning",
        "The answers of {day} are far from those before. {changes}",
        needs=("validated.int_quality_field_counts", "validated.int_field_baselines"),
        explained_by=(*DATA_STOPPED, "new_district"),
        follows_runs=True,
    ),
    Rule(
        "income_missing",
        "warning",
        "Of the households of {day} {blank_percent} % have no income, {usual_percent} % had none before.",
        needs=("validated.int_quality_field_counts", "validated.int_field_baselines"),
        explained_by=DATA_STOPPED,
        follows_runs=True,
    ),
    Rule(
        "new_district",
        "warning",
        "{households:,} households are of {subject}, which no champion was trained on.",
        needs=("marts.rpt_district_summary",),
        follows_runs=True,
    ),
    Rule(
        "duplicate_identifiers",
        "warning",
        "{collisions:,} of {submissions:,} submissions of {ingestion_id} share the identifier of another household.",
        needs=("validated.int_batch_quality",),
        explained_by=DATA_STOPPED,
        follows_runs=True,
    ),
    Rule(
        "unmarked_personal_data",
        "warning",
        "Fields of {subject} that held personal data in the last week, and that the contract does not mark: {fields};"
        " the newest upload is {newest}.",
    ),
    Rule(
        "empty_upload",
        "warning",
        "Uploads of the last day without a survey: {uploads:,}; the newest is {newest}.",
        quotes=True,
    ),
    Rule("cpu_high", "warning", "The processors of {subject} have been busy for {minutes} minutes: {percent} %."),
    Rule(
        "memory_high", "warning", "The memory of {subject} is {percent} % full; {limit_percent} % are wanted at most."
    ),
    Rule("disk_full", "critical", "The disk of {subject} is {percent} % full; {gigabytes_free} GB are free."),
    Rule("slow_answers", "warning", "One prediction in twenty took {seconds} s or more; {limit_seconds} s are wanted."),
    Rule("audit_changed", "critical", "The log of who saw and changed what was changed. {error_message}"),
)
