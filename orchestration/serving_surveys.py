"""The surveys in the body of a request for predictions, read as those that are stored are."""

import csv
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import orjson

from ingest_api.corrections import CONSENT, is_refusal
from ingest_api.json_bodies import read_json
from ingest_api.readers.json_reader import document_submission
from ingest_api.records import Rejection, Submission
from ingest_api.surveys import document_layout, document_sealer
from warehouse.contract import IDENTIFIER, Contract, load_contract
from warehouse.crypto.keys import KeyRing
from warehouse.errors import RefusedSurveyError

FORM = "household_survey"
MOST_HOUSEHOLDS = 1_000
NO_CONSENT = "The household does not consent, and is not scored."


@dataclass(frozen=True)
class AskedSurveys:
    """What a body asks about.

    Attributes:
        answers: by its place, the filled answers of each survey by canonical field, to the letter what the raw table
            would hold.
        rejected: what is no survey or of a household that refuses, with its place and its reason.
        unknown_fields: fields that the form does not know, and how many surveys name them.
    """

    answers: dict[int, dict[str, str]]
    rejected: list[Rejection]
    unknown_fields: Counter[str]

    def leave_out(self, refusing: Collection[str]) -> None:
        """Leave out households that do not consent: by what is stored of them, or by what their survey says.

        Raises:
            RefusedSurveyError: there is nobody else.
        """
        for number, answers in list(self.answers.items()):
            if answers[IDENTIFIER] in refusing or is_refusal(answers.get(CONSENT)):
                del self.answers[number]
                self.rejected.append(Rejection(number, "row.no_consent", NO_CONSENT, ""))
        if not self.answers:
            raise RefusedSurveyError(NO_CONSENT, code="survey.no_consent", remedy="Ask only about those that consent.")


def read_surveys(keys: KeyRing, body: bytes) -> AskedSurveys:
    """One household or a list of up to 1,000, flat or with the answers under `survey_data`.

    Stand-ins take the place of personal answers, as in the raw table: the database is never sent a person.

    Raises:
        RefusedRequestError: the body is no JSON.
        RefusedSurveyError: there are too many surveys in it, or none that can be read.
    """
    contract, layout = load_contract(FORM), document_layout(FORM)
    asked, read = AskedSurveys({}, [], Counter()), list[Submission]()
    for number, document in enumerate(_documents(read_json(body)), start=1):
        survey = document_submission(layout, contract, number, document)
        if isinstance(survey, Rejection):
            asked.rejected.append(survey)
            continue
        read.append(survey)
        asked.unknown_fields.update(orjson.loads(survey.extras or "{}").keys())
    if not read:
        first = asked.rejected[0]
        raise RefusedSurveyError(first.message, code=first.code.replace("row.", "survey."))
    sealed = document_sealer(keys, FORM).seal(read).submissions
    asked.answers.update({survey.number: _filled(contract, survey) for survey in sealed})
    return asked


def _documents(value: Any) -> list[Any]:
    documents = value if isinstance(value, list) else [value]
    if not documents:
        raise RefusedSurveyError("The body holds no survey.", code="survey.not_a_survey")
    if len(documents) > MOST_HOUSEHOLDS:
        raise RefusedSurveyError(
            f"The body holds more than {MOST_HOUSEHOLDS:,} surveys.",
            code="batch.too_many",
            remedy="Ask about them in several requests.",
        )
    return documents


def _filled(contract: Contract, survey: Submission) -> dict[str, str]:
    (cells,) = csv.reader([survey.line], strict=True)
    return {name: cell for name, cell in zip(contract.names, cells, strict=True) if cell}
