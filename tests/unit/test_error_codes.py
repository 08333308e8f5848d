"""Every code that the source raises stands in the one list, and the list holds no other."""

import ast
import re
from collections.abc import Iterator

from warehouse import errors
from warehouse.error_codes import MEANINGS
from warehouse.settings import PROJECT_ROOT

CODE = re.compile(r"[a-z]+\.[a-z_]+")
AREAS = {code.partition(".")[0] for code in MEANINGS if "." in code}
FILE_ENDINGS = {"csv", "json", "jsonl", "log", "parquet", "py", "sql", "toml", "txt", "yml"}
TABLES = {"ml.prediction_requests", "ml.predictions"}


def literals() -> Iterator[str]:
    """Every string in the source that is given as a code, or looks like one of a known area."""
    for package in ("warehouse", "ingest_api", "ml", "orchestration"):
        for path in (PROJECT_ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                given = isinstance(node, ast.keyword) and node.arg == "code"
                for part in ast.walk(node.value) if given else [node]:
                    if path.name != "error_codes.py" and isinstance(part, ast.Constant) and is_code(part.value, given):
                        yield str(part.value)


def is_code(value: object, given: bool) -> bool:
    if not isinstance(value, str) or not CODE.fullmatch(value) or value in TABLES:
        return False
    area, _, reason = value.partition(".")
    return given or (area in AREAS and reason not in FILE_ENDINGS)


def test_every_code_of_the_source_is_listed() -> None:
    assert sorted(set(literals()) - MEANINGS.keys()) == []


def test_every_listed_code_is_in_use() -> None:
    classes = {value.code for value in vars(errors).values() if hasattr(value, "code")}
    of_surveys = {
        code for code in MEANINGS if code.startswith("survey.") and code.replace("survey.", "row.") in MEANINGS
    }
    assert sorted(MEANINGS.keys() - set(literals()) - classes - of_surveys) == []


def test_every_meaning_is_a_sentence() -> None:
    assert [code for code, meaning in MEANINGS.items() if not re.fullmatch(r"[A-Z`].+\.", meaning)] == []
