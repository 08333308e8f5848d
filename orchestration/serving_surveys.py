"""The surveys in the body of a request for predictions, read as those that are stored are."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import orjson

from ingest_api.readers.json_reader import open_json
from ingest_api.records import Rejection, Submission
from warehouse.contract import Contract, load_contract
from warehouse.errors import RefusedSurveyError

FORM = "household_survey"
MOST_HOUSEHOLDS = 1_000


@dataclass(frozen=True)
class AskedSurveys:
    """What a body asks about.

    Attributes:
        answers: the filled answers of each survey by canonical field, to the letter what the raw table would hold.
        rejected: what is no survey, with its place and its reason.
        unknown_fields: fields that the form does not know, and how many surveys name them.
    """

    answers: list[dict[str, str]]
    rejected: list[Rejection]
    unknown_fields: Counter[str]


def read_surveys(body: bytes) -> AskedSurveys:
    """One household or a list of up to 1,000, flat or with the answers under `survey_data`.

    Raises:
        UnreadableFileError: the body is no JSON, or there is no survey in it.
        RefusedSurveyError: there are too many surveys in it, or none of them can be read.
    """
    contract = load_contract(FORM)
    asked = AskedSurveys([], [], Counter())
    for survey in _at_most(open_json(io.BytesIO(body), contract).submissions()):
        if isinstance(survey, Rejection):
            asked.rejected.append(survey)
            continue
        asked.answers.append(_filled(contract, survey))
        asked.unknown_fields.update(orjson.loads(survey.extras or "{}").keys())
    if not asked.answers:
        first = asked.rejected[0]
        raise RefusedSurveyError(first.message, code=first.code.replace("row.", "survey."))
    return asked


def _at_most(surveys: Iterable[Submission | Rejection]) -> Iterator[Submission | Rejection]:
    for count, survey in enumerate(surveys):
        if count == MOST_HOUSEHOLDS:
            raise RefusedSurveyError(
                f"The body holds more than {MOST_HOUSEHOLDS:,} surveys.",
                code="batch.too_many",
                remedy="Ask about them in several requests.",
            )
        yield survey


def _filled(contract: Contract, survey: Submission) -> dict[str, str]:
    (cells,) = csv.reader([survey.line], strict=True)
    return {name: cell for name, cell in zip(contract.names, cells, strict=True) if cell}
