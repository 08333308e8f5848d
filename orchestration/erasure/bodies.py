"""Bodies as devices and offices sent them, without the surveys of a household."""

import io
from typing import Any, BinaryIO

import orjson

from ingest_api.openrosa.instances import read_instance
from orchestration.erasure.documents import rest_of_documents, rest_of_lines
from orchestration.erasure.household import Household
from orchestration.erasure.rest import Rest
from warehouse.contract import Contract
from warehouse.errors import RefusedSurveyError
from warehouse.stores import type_of

BUNDLE = b'{"ingestion_id":'
LINES = type_of("batch.jsonl")


def body_without(household: Household, contract: Contract, body: str, content_type: str | None) -> str | None:
    """What stays of a body: of a batch the surveys of others, of a single survey nothing (None).

    A body without a survey of the household comes back as it is, and so does one that cannot be read.
    """
    if body.lstrip("\ufeff \t\r\n").startswith("<"):
        return None if _is_instance_of(household, contract, body) else body
    take = rest_of_lines if content_type == LINES else rest_of_documents
    source, target = io.BytesIO(body.encode()), io.BytesIO()
    rest = take(household, contract, source, target)
    if rest is None:
        return body
    return target.getvalue().decode() if rest.kept else None


def rest_of_bundle(household: Household, contract: Contract, source: BinaryIO, target: BinaryIO) -> Rest | None:
    """Write a bundle of bodies without the household's surveys; None where it has none in it."""
    rest = Rest()
    source.seek(0)
    for line in source:
        bundled: dict[str, Any] = orjson.loads(line)
        body = bundled["body"]
        kept = body_without(household, contract, body, bundled.get("content_type"))
        rest.count(is_its=kept is None)
        if kept == body:
            target.write(line)
        elif kept is not None:
            rest.gone += 1
            target.write(orjson.dumps(bundled | {"body": kept}, option=orjson.OPT_APPEND_NEWLINE))
    return rest.found()


def _is_instance_of(household: Household, contract: Contract, xml: str) -> bool:
    try:
        answers = read_instance(xml).answers_for(contract)
    except RefusedSurveyError:
        return False
    named = zip(answers.values(), contract.resolve(answers), strict=True)
    return any(name == contract.identifier and household.is_it(answer) for answer, name in named)
