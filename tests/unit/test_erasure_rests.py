"""What is left of files and bodies when a household is taken out: every other survey as it was, and nothing of it."""

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from ingest_api.readers import open_survey_files
from ingest_api.records import Submission
from orchestration.erasure.bodies import body_without
from orchestration.erasure.documents import Whose
from orchestration.erasure.files import Sent, is_named, rest_of_file
from orchestration.erasure.household import Household
from orchestration.erasure.resent_rows import ResentRows
from warehouse.contract import load_contract

CONTRACT = load_contract("household_survey")
GONE = Household("KAN-001-AAA-1")
HEADER = ["submission_id", "household_id", "village", "remark"]
ROWS = [
    ["a", "kan-001-aaa-1 ", "V1", "Ann"],
    ["b", "KAN-001-AAA-10", "V1", 'Ben, "the tall"'],
    ["c", "KAN-001-AAA-1", "V2", "Ann\nagain"],
    ["d", "KAN-002", "Kaŋ", "1.10"],
    ["e", "", "V3", "nobody's"],
]
Made = tuple[str, bytes]


def csv_text(rows: list[list[str]], ending: str = "\r\n", delimiter: str = ",") -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=ending, delimiter=delimiter).writerows([HEADER, *rows])
    return text.getvalue()


def as_csv(rows: list[list[str]]) -> Made:
    return "visits.csv", csv_text(rows).encode()


def as_titled_csv(rows: list[list[str]]) -> Made:
    return "visits.csv", b"Visits of a day\n\n" + csv_text(rows, "\n", ";").encode()


def as_utf16(rows: list[list[str]]) -> Made:
    return "visits.csv", csv_text(rows).encode("utf-16")


def as_old_mac(rows: list[list[str]]) -> Made:
    return "visits.csv", csv_text([[cell.replace("\n", " ") for cell in row] for row in rows], "\r").encode()


def documents(rows: list[list[str]]) -> list[dict[str, Any]]:
    return [{"survey_data": dict(zip(HEADER, row, strict=True)), "rooms": 1.10} for row in rows]


def escaped(text: str) -> str:
    return text.replace("KAN-", r"\u004bAN\u002d")


def as_json(rows: list[list[str]]) -> Made:
    return "visits.json", escaped(json.dumps(documents(rows), indent=1)).encode()


def as_named_json(rows: list[list[str]]) -> Made:
    return "visits.json", json.dumps({"when": "now", "surveys": documents(rows)}).encode()


def as_json_lines(rows: list[list[str]]) -> Made:
    return "visits.jsonl", escaped("\n".join(map(json.dumps, documents(rows)))).encode()


def as_workbook(rows: list[list[str]]) -> Made:
    book, content = openpyxl.Workbook(), io.BytesIO()
    assert book.active is not None
    for row in [HEADER, *rows]:
        book.active.append(row)
    book.save(content)
    return "visits.xlsx", content.getvalue()


def as_parquet(rows: list[list[str]]) -> Made:
    content = io.BytesIO()
    parquet.write_table(pa.table(dict(zip(HEADER, zip(*rows, strict=True), strict=True))), content)
    return "visits.parquet", content.getvalue()


def as_gzip(rows: list[list[str]]) -> Made:
    return "visits.csv.gz", gzip.compress(as_csv(rows)[1])


def as_zip(rows: list[list[str]]) -> Made:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, inner in (as_csv(rows), as_workbook(rows), ("__MACOSX/x", b"hidden"), ("notes.txt", b"a note")):
            archive.writestr(name, inner)
    return "visits.zip", content.getvalue()


WAYS: list[Callable[[list[list[str]]], Made]] = [
    as_csv, as_titled_csv, as_utf16, as_old_mac, as_json, as_named_json, as_json_lines, as_workbook, as_parquet,
    as_gzip, as_zip,
]  # fmt: skip


def read(filename: str, content: bytes) -> list[tuple[int, str]]:
    """The surveys of a file, each by its number and the hash of its content; of what is none, the reason."""
    with open_survey_files(io.BytesIO(content), CONTRACT, filename=filename) as tables:
        return [
            (item.number, item.content_hash if isinstance(item, Submission) else item.code)
            for table in tables
            for item in table.submissions()
        ]


def rest_of(whose: Whose, filename: str, content: bytes) -> bytes | None:
    target = io.BytesIO()
    rest = rest_of_file(whose, Sent(CONTRACT, filename), io.BytesIO(content), target)
    return None if not rest.gone else target.getvalue() if rest.kept else b""


@pytest.mark.parametrize("make", WAYS[:-1])
def test_others_stay_as_they_were_on_the_lines_where_they_stood(make: Callable[[list[list[str]]], Made]) -> None:
    filename, content = make(ROWS)
    left = rest_of(GONE, filename, content)
    assert left is not None
    assert not is_named(GONE, io.BytesIO(left))
    before = read(filename, content)
    assert read(filename, left) == [before[1], *before[3:]]
    assert rest_of(GONE, filename, left) is None


def test_an_archive_keeps_the_files_in_it() -> None:
    left = rest_of(GONE, *as_zip(ROWS))
    assert left is not None
    assert not is_named(GONE, io.BytesIO(left))
    assert len(read("visits.zip", left)) == len(read(*as_zip(ROWS))) - 4
    with zipfile.ZipFile(io.BytesIO(left)) as archive:
        names = ["visits.csv", "visits.xlsx.jsonl", "__MACOSX/x", "notes.txt"]
        assert [archive.read(name) for name in names[2:]] == [b"hidden", b"a note"]
        assert archive.namelist() == names


@pytest.mark.parametrize("make", WAYS)
def test_a_file_without_the_household_is_left_alone(make: Callable[[list[list[str]]], Made]) -> None:
    assert rest_of(Household("KAN-001-AAA"), *make(ROWS)) is None


@pytest.mark.parametrize("make", WAYS[:-1])
def test_of_a_file_with_nobody_else_nothing_is_left(make: Callable[[list[list[str]]], Made]) -> None:
    assert rest_of(GONE, *make([ROWS[0], ROWS[2]])) == b""


def test_a_common_number_is_a_household_only_where_a_household_stands() -> None:
    rows = [["a", "5", "V5", "5"], ["b", "6", "5", "of 5"], ["c", "6", "V", "with 5"]]
    filename, content = as_csv(rows)
    left = rest_of(Household("5"), filename, content)
    assert left is not None
    assert read(filename, left) == read(filename, content)[1:]


def test_another_household_may_name_it() -> None:
    filename, content = as_csv([["a", "KAN-9", "V1", "neighbour of KAN-001-AAA-1"]])
    assert rest_of(GONE, filename, content) is None
    assert is_named(GONE, io.BytesIO(content))


def test_a_household_called_by_a_number_is_known_by_its_stand_in() -> None:
    def hide(name: str) -> str:
        return f"personal:{name[::-1]}" if name.startswith("+256") else name

    rows = [["a", "+256772123456", "V", "x"], ["b", "+256772999999", "V", "y"]]
    for asked in ("+256772123456", hide("+256772123456")):
        household = Household(asked, hide)
        filename, content = as_csv(rows)
        left = rest_of(household, filename, content)
        assert left is not None
        assert [number for number, _ in read(filename, left)] == [3]
        assert b"+256772123456" not in left


def test_a_file_that_cannot_be_read_goes_whole_where_it_names_the_household() -> None:
    content = b"nobody,knows,these\n1,KAN-001-AAA-1,2\n"
    assert rest_of(GONE, "x.csv", content) == b""
    assert rest_of(Household("KAN-2"), "x.csv", content) is None
    assert rest_of(Household("1"), "x.csv", content) is None


def test_rejected_rows_are_told_by_a_cell() -> None:
    text = "household_id,village\nKAN-001-AAA-1,V1,too,many\nKAN-2,V2,too,many\nKAN-3,V3\n"
    left = rest_of(GONE, "x.csv", text.encode())
    assert left == b"household_id,village\n\nKAN-2,V2,too,many\nKAN-3,V3\n"


XML = (
    '<data id="household_survey"><group><household_id>{}</household_id></group><note>KAN-001-AAA-1</note>'
    "<meta><instanceID>uuid:1</instanceID></meta></data>"
)


@pytest.mark.parametrize(
    ("body", "kind", "left"),
    [
        (XML.format("&#75;AN-001-AAA-1"), "text/xml", None),
        (XML.format("KAN-2"), "text/xml", "the same"),
        ('{"household_id": "KAN-001-AAA-1", "survey_data": {}}', "application/json", None),
        ('{"household_id": "K-2", "survey_data": {"remark": "KAN-001-AAA-1"}}', "application/json", "the same"),
        ('[{"household_id": "kan-001-aaa-1"}, {"household_id": "K-2", "x": 1e400}]', "application/json",
         '\n{"household_id":"K-2","x":1e400}\n'),
        ('{"surveys": [{"household_id": "KAN-001-AAA-1"}, {"household_id": "K-2"}]}', "application/json",
         '\n{"household_id":"K-2"}\n'),
        ('{"household_id": "KAN-001-AAA-1"}\n{"household_id": "K-2"}\nno JSON\n', "application/jsonl",
         '\n{"household_id": "K-2"}\nno JSON\n'),
        ('{"household_id": "KAN-001-AAA-1"', "application/json", "the same"),
        ('{"household_id": "K-2", "household_id": "KAN-001-AAA-1"}', "application/json", "the same"),
    ],
)  # fmt: skip
def test_bodies(body: str, kind: str, left: str | None) -> None:
    assert body_without(GONE, CONTRACT, body, kind) == (body if left == "the same" else left)


@pytest.mark.parametrize("make", WAYS)
def test_rows_that_came_again_are_known_by_their_numbers(make: Callable[[list[list[str]]], Made]) -> None:
    filename, content = make(ROWS)
    before = read(filename, content)
    gone = {number for number, _ in (before[0], before[-2])}
    left = rest_of(ResentRows("ing_1", frozenset(gone)), filename, content)
    assert left is not None
    assert sorted(hashed for _, hashed in read(filename, left)) == sorted(
        hashed for _, hashed in [*before[1:-2], before[-1]]
    )


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
households = st.sampled_from(["KAN-1", "kan-1", " KAN-1", "KAN-10", "XKAN-1", "KAN-2", "5"])


@settings(max_examples=200, deadline=None)
@given(rows=st.lists(st.tuples(cells, households, cells, cells).map(list), min_size=1, max_size=8))
def test_whatever_the_answers_others_stay(rows: list[list[str]]) -> None:
    filename, content = as_csv(rows)
    before, household = read(filename, content), Household("KAN-1")
    assert len(before) == len(rows)
    others = [found for found, row in zip(before, rows, strict=True) if not household.is_it(row[1])]
    left = rest_of(household, filename, content)
    assert (before if left is None else read(filename, left) if left else []) == others
