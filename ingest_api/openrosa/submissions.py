"""A filled form from a phone: stored with its files in one transaction, under the identity that the phone gave it."""

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from ingest_api.openrosa.attachments import ArrivingFile, Owner, keep_attachments, missing_attachments
from ingest_api.openrosa.instances import Instance, read_instance
from ingest_api.receipts import Outcome
from ingest_api.records import Rejection, Submission, identify
from ingest_api.senders import Sender
from ingest_api.surveys import Original, document_layout, land_surveys, seal_survey
from warehouse.contract import Contract, load_contract
from warehouse.crypto.sealing import sealing
from warehouse.database import Database, queries
from warehouse.errors import RefusedSurveyError

XML_TYPE = "text/xml"
MOST_NAMED = 10  # files that a message lists


@dataclass(frozen=True, slots=True)
class InstanceReceipt:
    """What became of one request of a phone.

    Attributes:
        outcome: what became of the survey.
        new_files: how many files of this request were not there yet.
        missing_files: the files that the survey speaks of and that have not arrived.
        corrects_unknown: whether it corrects a survey that is not here.
    """

    ingestion_id: str
    outcome: Outcome
    new_files: int
    missing_files: list[str]
    corrects_unknown: bool

    @property
    def is_news(self) -> bool:
        """Whether anything was stored that was not there before."""
        return self.outcome == "stored" or self.new_files > 0

    @property
    def message(self) -> str:
        """The receipt in words, for the phone's screen."""
        told = {
            "stored": f"The survey is stored ({self.ingestion_id}).",
            "duplicate": "The survey was stored already.",
            "conflict": "A survey with other answers is stored under this identity; this one is kept for review.",
        }[self.outcome]
        if self.corrects_unknown:
            told += " It corrects a survey that has not arrived here."
        if self.new_files:
            told += f" New files: {self.new_files}."
        if self.missing_files:
            named = ", ".join(self.missing_files[:MOST_NAMED])
            told += f" Files still to come: {len(self.missing_files)} ({named})."
        return told


def receive_instance(database: Database, xml: str, files: Sequence[ArrivingFile], sender: Sender) -> InstanceReceipt:
    """Store one filled form and its files, durably when this returns. Sending it again is harmless.

    A phone may send a survey in several requests, each with the XML and some of the files, in any order.
    Without an instanceID the content decides whether two are the same. A form without a household is kept, for the
    rules to judge; so is a correction whose original is unknown, since it may arrive later.

    Args:
        database: where to.
        xml: the filled form.
        files: the files of this request.
        sender: who sent it.

    Raises:
        ContractError: there is no such form.
        RefusedSurveyError: it cannot be kept, and nothing of it was.
    """
    instance = read_instance(xml)
    contract = load_contract(instance.form)
    submission = _submission(contract, instance)
    original = Original(xml, XML_TYPE, "openrosa", sender)
    with sealing(database.settings) as keys, database.transaction() as connection:
        survey = seal_survey(keys, contract.form, submission, original)
        (receipt,) = land_surveys(connection, contract, [survey])
        owner = Owner(contract.form, survey.submission.key, receipt.ingestion_id)
        new_files = keep_attachments(connection, keys, owner, instance, files)
        missing = missing_attachments(connection, owner)
        corrects_unknown = not _is_original_stored(connection, contract, submission)
    return InstanceReceipt(receipt.ingestion_id, receipt.outcome, new_files, missing, corrects_unknown)


def _submission(contract: Contract, instance: Instance) -> Submission:
    checked = document_layout(contract.form).submission(
        1,
        instance.answers_for(contract),
        key=instance.instance_id,
        deprecates=instance.deprecated_id,
        needs_household=False,
    )
    if isinstance(checked, Rejection):
        raise RefusedSurveyError(checked.message, code=checked.code.replace("row.", "survey."))
    return checked


def _is_original_stored(connection: psycopg.Connection, contract: Contract, submission: Submission) -> bool:
    """Whether the submission that this one corrects is stored; true of one that corrects none."""
    if submission.deprecates is None:
        return True
    values = {"identity": identify(contract.form, submission.deprecates)}
    row = connection.execute(queries("openrosa")["is_stored"], values).fetchone()
    return bool(row and row[0])
