"""What a file is: by its content first, by its name where that leaves a choice, never by what it claims alone."""

import json
from pathlib import PurePath
from typing import BinaryIO

from ingest_api.readers.archives import is_workbook
from warehouse.errors import UnreadableFileError

HEAD_BYTES = 65_536
BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
MARKS = {
    b"PAR1": "parquet",
    b"PARE": "parquet",
    b"\x1f\x8b": "gzip",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "excel",
}
ZIP_MARKS = (b"PK\x03\x04", b"PK\x05\x06")
MARKUP = ("<?xml", "<!doctype", "<html")
LINE_NAMES = {".jsonl", ".ndjson"}
DECLARED = {
    "csv": {"csv"},
    "tsv": {"csv"},
    "excel": {"excel"},
    "xlsx": {"excel"},
    "xls": {"excel"},
    "ods": {"excel"},
    "json": {"json"},
    "jsonl": {"jsonl", "json"},  # one line of JSON is both
    "ndjson": {"jsonl", "json"},
    "parquet": {"parquet"},
}


def sniff(file: BinaryIO, filename: str, declared: str | None = None) -> str:
    """The format of a file: csv, excel, json, jsonl, parquet, gzip or zip; csv where nothing speaks against it.

    Args:
        file: its bytes.
        filename: what its sender calls it.
        declared: what its sender says it is.

    Raises:
        UnreadableFileError: it is empty, or XML or HTML, which a spreadsheet's name sometimes hides.
    """
    file.seek(0)
    head = file.read(HEAD_BYTES)
    for mark, found in MARKS.items():
        if head.startswith(mark):
            return found
    if head.startswith(ZIP_MARKS):
        return "excel" if is_workbook(file) else "zip"
    encoding = next((name for mark, name in BYTE_ORDER_MARKS.items() if head.startswith(mark)), "utf-8")
    text = head.decode(encoding, "replace").lstrip()
    if not text:
        raise UnreadableFileError("The file is empty.", code="file.empty", remedy="Send a header and one row a survey.")
    if text.lower().startswith(MARKUP):
        raise UnreadableFileError(
            "The file is XML or HTML, whatever its name says.",
            code="file.unknown_format",
            remedy="Save it as CSV or as an Excel workbook.",
        )
    if text.startswith("{"):
        return "jsonl" if _is_lines(text, filename, declared) else "json"
    return "json" if text.startswith("[") else "csv"


def check_declared(found: str, declared: str | None) -> None:
    """Refuse a file that is not what its sender says it is.

    Raises:
        UnreadableFileError: its content says otherwise, or nobody knows the type.
    """
    if declared is None:
        return
    plain = declared.strip().lower()
    if plain not in DECLARED:
        raise UnreadableFileError(
            f"There is no file type {declared[:40]!r}.",
            code="file.unknown_type",
            remedy=f"Known types: {', '.join(DECLARED)}; without one the content decides.",
        )
    if found not in DECLARED[plain]:
        raise UnreadableFileError(
            f"The file was sent as {plain} but is {found}.",
            code="file.wrong_type",
            remedy="Send it without a type, or with its own.",
        )


def _is_lines(text: str, filename: str, declared: str | None) -> bool:
    if declared:
        return declared.strip().lower() != "json"
    if PurePath(filename).suffix.lower() in LINE_NAMES:
        return True
    first, _, rest = text.partition("\n")
    try:
        return bool(rest.strip()) and isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False
