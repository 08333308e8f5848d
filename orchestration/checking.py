"""What a file would come to: it is landed and judged by dbt's own rules, in a transaction that is rolled back."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from ingest_api.landing import Arrival, Balance, land
from ingest_api.personal import describe_findings, say_unknown
from ingest_api.readers import open_survey_files
from orchestration.context import Warehouse
from orchestration.dbt import Dbt
from warehouse.contract import load_contract
from warehouse.crypto.keys import KeyRing, load_key_ring
from warehouse.database import fetch_row, fetch_rows, queries
from warehouse.errors import UnreadableFileError

SHOWN_ROWS = 10


@dataclass(frozen=True)
class Judges:
    """The models that judge the submissions of a form, list those they keep out, and hold batches where one does."""

    judged: str
    quarantined: str
    batches: str | None = None

    @property
    def names(self) -> list[str]:
        """Those that there are."""
        return [name for name in (self.judged, self.quarantined, self.batches) if name]


JUDGES = {
    "household_survey": Judges("int_submissions_judged", "int_quarantined_submissions", "int_batch_quality"),
    "quarterly_report": Judges("int_village_reports_judged", "fct_quarantined_village_reports"),
}


@dataclass(frozen=True)
class BrokenRule:
    """How many rows of the file break a rule; `reject` sends them to quarantine, `flag` only marks them."""

    rule: str
    severity: str
    rows: int


@dataclass(frozen=True)
class BadRow:
    """A row that would not be released: its line and why."""

    row_number: int
    code: str
    message: str


@dataclass
class Check:
    """What would happen to a file.

    Attributes:
        format: of the file, or of each file of an archive.
        received: rows of the file, = stored + already_stored + repeated + rejected + conflict.
        stored: rows that are new.
        already_stored: rows that have been stored before.
        repeated: rows that stand in the file before.
        rejected: rows that cannot be kept.
        conflict: rows whose identity is known with other content.
        quarantined: new rows that break a rule of severity `reject`.
        gate_status: `held` where so much of the file is bad that all of it would wait for a reviewer.
        is_judged: whether the form has rules; without any, the lists of them are empty.
        duplicate_of: the earlier upload of the same bytes.
        rules: the rules that new rows break.
        bad_rows: the first ten rows that are rejected or quarantined.
        personal_fields: fields that hold personal data and that the contract does not mark: field, kind, rows.
    """

    form: str
    format: list[str] = field(default_factory=list)
    received: int = 0
    stored: int = 0
    already_stored: int = 0
    repeated: int = 0
    rejected: int = 0
    conflict: int = 0
    quarantined: int = 0
    gate_status: str | None = None
    is_judged: bool = False
    duplicate_of: str | None = None
    rules: list[BrokenRule] = field(default_factory=list)
    bad_rows: list[BadRow] = field(default_factory=list)
    unknown_fields: dict[str, int] = field(default_factory=dict)
    personal_fields: list[dict[str, str | int]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


def check_file(warehouse: Warehouse, path: Path, form: str, sheet: str | None = None) -> Check:
    """Find out what loading a file would come to; nothing is stored.

    Whoever sends the same rows meanwhile waits until the check is over.

    Raises:
        UnreadableFileError: it does not exist, or would be refused.
    """
    contract = load_contract(form)
    try:
        file = path.open("rb")
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}."
        raise UnreadableFileError(message, code="file.not_found", remedy="Check the path.") from error
    check = Check(form, is_judged=form in JUDGES)
    with file:
        with open_survey_files(file, contract, filename=path.name, sheet=sheet):
            pass  # a file that is refused at the door needs no rules
        models = _compile(warehouse, form)
        with warehouse.database.transaction() as connection, connection.transaction(force_rollback=True):
            names = {"ingestion_id": f"check_{secrets.token_hex(8)}", "limit": SHOWN_ROWS}
            keys = load_key_ring(warehouse.settings)
            _land(connection, keys, file, path.name, sheet, names, check)
            _judge(connection, form, models, names, check)
    return check


def _land(
    connection: psycopg.Connection,
    keys: KeyRing,
    file: BufferedReader,
    filename: str,
    sheet: str | None,
    names: dict[str, Any],
    check: Check,
) -> None:
    """Land the file as any other, and count."""
    contract = load_contract(check.form)
    file.seek(0)
    facts = {
        **names,
        "form": contract.form,
        "form_version": contract.version,
        "filename": filename,
        "sha256": hashlib.file_digest(file, "sha256").hexdigest(),
    }
    entry = _one(connection, queries("checking")["insert_checked"], facts)
    arrival = Arrival(names["ingestion_id"], contract, "cli", entry["received_at"], keys)
    balance, unknown = Balance(), dict[str, None]()
    with open_survey_files(file, contract, filename=filename, sheet=sheet) as survey_files:
        for survey_file in survey_files:
            balance.add(land(connection, arrival, survey_file.names, survey_file.submissions()))
            check.format.append(survey_file.format)
            check.notices += survey_file.notices
            unknown |= dict.fromkeys(survey_file.unknown)
    check.notices += say_unknown(contract.form, unknown, balance.findings)
    check.duplicate_of = entry["duplicate_of"]
    check.received, check.stored = balance.received, balance.stored
    check.rejected, check.conflict = balance.rejected, balance.conflict
    check.repeated = _one(connection, queries("checking")["repeats_within"], names)["count"]
    check.already_stored = balance.duplicate - check.repeated
    check.unknown_fields = dict(balance.unknown_fields)
    check.personal_fields = describe_findings(balance.findings)


def _judge(
    connection: psycopg.Connection, form: str, models: list[dict[str, Any]], names: dict[str, Any], check: Check
) -> None:
    """Run the rules of dbt over the rows that were landed."""
    statements = queries("checking")
    raw_table = sql.Identifier("raw", form)
    connection.execute(statements["create_checked_surveys"].format(raw_table=raw_table), names)
    connection.execute(statements["create_checked_repeats"], names)
    for model in models:
        kind = "view" if model["is_view"] else "table"
        statement = f'create temporary {kind} "{model["name"]}" as {model["code"]}'
        connection.execute(statement)
    bad_rows: sql.SQL | sql.Composed = statements["rejected_rows"]
    if judges := JUDGES.get(form):
        quarantined = sql.Identifier("pg_temp", judges.quarantined)
        broken_rules = statements["broken_rules"].format(judged=sql.Identifier("pg_temp", judges.judged))
        count_quarantined = statements["count_quarantined"].format(quarantined=quarantined)
        bad_rows = statements["bad_rows"].format(quarantined=quarantined)
        check.rules = [BrokenRule(**row) for row in fetch_rows(connection, broken_rules, names)]
        check.quarantined = _one(connection, count_quarantined, names)["count"]
        if judges.batches:
            check.gate_status = _one(connection, statements["gate_status"], names)["gate_status"]
    check.bad_rows = [BadRow(**row) for row in fetch_rows(connection, bad_rows, names)]


def _compile(warehouse: Warehouse, form: str) -> list[dict[str, Any]]:
    """The models that judge a form's rows, in the order of their dependence, over temporary tables."""
    if form not in JUDGES:
        return []
    selected = [f"+{name}" for name in JUDGES[form].names]
    with Dbt(warehouse) as dbt:
        manifest = dbt.compile("--full-refresh", "--indirect-selection", "empty", "--select", *selected)
    nodes = [node for node in manifest["nodes"].values() if node["resource_type"] == "model" and node.get("compiled")]
    temporary = {node["relation_name"]: f'pg_temp."{node["name"]}"' for node in nodes}
    for source in manifest["sources"].values():
        if (source["schema"], source["identifier"]) == ("raw", form):
            temporary[source["relation_name"]] = "pg_temp.checked_surveys"
        elif (source["schema"], source["identifier"]) == ("raw", "repeated_rows"):
            temporary[source["relation_name"]] = "pg_temp.checked_repeats"
    return [
        {
            "name": node["name"],
            "is_view": node["config"]["materialized"] == "view",
            "code": _replace(node["compiled_code"], temporary),
        }
        for node in _in_order(nodes)
    ]


def _in_order(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Models, each after those that it reads."""
    waiting = {node["unique_id"]: node for node in nodes}
    ordered = []
    while waiting:
        ready = [key for key, node in waiting.items() if not waiting.keys() & set(node["depends_on"]["nodes"])]
        ordered += [waiting.pop(key) for key in ready]
    return ordered


def _replace(code: str, relations: Mapping[str, str]) -> str:
    for name, temporary in relations.items():
        code = code.replace(name, temporary)
    return code


def _one(
    connection: psycopg.Connection, statement: sql.SQL | sql.Composed, values: Mapping[str, Any]
) -> dict[str, Any]:
    row = fetch_row(connection, statement, values)
    assert row is not None  # noqa: S101 - the statement gives one row or raises
    return row
