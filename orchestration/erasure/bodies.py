"""Bodies as devices and offices sent them, without the surveys of a household."""

import io
from typing import Any, BinaryIO

import orjson

from ingest_api.openrosa.instances import read_instance
from orchestration.erasure.documents import Whose, rest_of_documents, rest_of_lines
from orchestration.erasure.resent_rows import ResentRows
from orchestration.erasure.rest import Rest
from warehouse.contract import Contract
from warehouse.errors import RefusedSurveyError
from warehouse.stores import type_of

BUNDLE = b'{"ingestion_id":'
LINES = type_of("batch.jsonl")


def body_without(whose: Whose, contract: Contract, body: str, content_type: str | None) -> str | None:
    """What stays of a body: of a batch the surveys of others, of a single survey nothing (None).

    A body without a survey of the household comes back as it is, and so does one that cannot be read.
    """
    if body.lstrip("\ufeff \t\r\n").startswith("<"):
        return None if _is_instance_of(whose, contract, body) else body
    take = rest_of_lines if content_type == LINES else rest_of_documents
    source, target = io.BytesIO(body.encode()), io.BytesIO()
    rest = take(whose, contract, source, target)
    if not rest.gone:
        return body
    return target.getvalue().decode() if rest.kept else None


def rest_of_bundle(whose: Whose, contract: Contract, source: BinaryIO, target: BinaryIO) -> Rest:
    """Write a bundle of bodies without the surveys that are to go."""
    rest = Rest()
    source.seek(0)
    for number, line in enumerate(source, start=1):
        bundled: dict[str, Any] = orjson.loads(line)
        body = kept = bundled["body"]
        if not (isinstance(whose, ResentRows) and bundled["ingestion_id"] != whose.ingestion_id):
            kept = body_without(whose, contract, body, bundled.get("content_type"))
        rest.count(number, is_its=kept is None)
        if kept == body:
            target.write(line)
        elif kept is not None:
            rest.gone += 1
            target.write(orjson.dumps(bundled | {"body": kept}, option=orjson.OPT_APPEND_NEWLINE))
    return rest


def _is_instance_of(whose: Whose, contract: Contract, xml: str) -> bool:
    if isinstance(whose, ResentRows):
        return 1 in whose.numbers
    try:
        answers = read_instance(xml).answers_for(contract)
    except RefusedSurveyError:
        return False
    named = zip(answers.values(), contract.resolve(answers), strict=True)
    return any(name == contract.identifier and whose.is_it(answer) for answer, name in named)
