"""Every named file of `tests/cases` but plain CSV: refused with a code at little cost, or read to the row."""

import csv
import io
import resource
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ingest_api.readers import open_survey_files
from ingest_api.readers.limits import MEMBERS
from ingest_api.records import Rejection, Submission
from warehouse.contract import load_contract
from warehouse.errors import UnreadableFileError

CASES = Path(__file__).parents[1] / "cases"
CONTRACT = load_contract("household_survey")
REFUSAL_SECONDS = 0.1  # of processor time

REFUSED = {
    "nested.zip": "file.nested_archive",
    "gzip_in_gzip.csv.gz": "file.nested_archive",
    "encrypted.zip": "file.encrypted",
    "no_survey.zip": "file.not_csv",
    "nothing.zip": "file.empty",
    "bomb.zip": "file.expands_too_much",
    "bomb.csv.gz": "file.expands_too_much",
    "bomb.xlsx": "file.expands_too_much",
    "bomb.parquet": "file.expands_too_much",
    "many_members.zip": "file.too_many_members",
    "packed_with_bzip2.zip": "file.unknown_format",
    "wrong_checksum.zip": "file.damaged",
    "cut.csv.gz": "file.damaged",
    "cut.xlsx": "file.damaged",
    "cut.parquet": "file.damaged",
    "encrypted.parquet": "file.damaged",
    "entities.xlsx": "file.damaged",
    "sparse_sheet.xlsx": "file.too_large",
    "wide_sheet.xlsx": "file.too_many_columns",
    "empty_workbook.xlsx": "file.empty",
    "header_only.xlsx": "file.no_rows",
    "prose.xlsx": "file.unknown_header",
    "not_a_workbook.xls": "file.damaged",
    "page_named.xls": "file.unknown_format",
    "document.docx": "file.unknown_format",
    "deep.json": "file.too_deep",
    "numbers.json": "file.invalid_json",
    "no_surveys.json": "file.no_rows",
    "not_a_number.json": "file.invalid_json",
    "no_identifier.json": "file.no_identifier",
    "other_fields.json": "file.unknown_header",
    "cut_at_once.json": "file.invalid_json",
}


@dataclass(frozen=True)
class Good:
    """What a file must come to: the households of its surveys, and the number and reason of each rejected row."""

    households: list[str]
    rejected: list[tuple[int, str]] = field(default_factory=list)


READ = {
    "workbook.xlsx": Good(["A-1", "A-2", "A-3"]),
    "workbook_with_title.xlsx": Good(["A-1"], [(7, "row.no_household_id"), (8, "row.ragged")]),
    "workbook.ods": Good(["A-1"]),
    "surveys.json": Good(["A-1", "A-2"]),
    "surveys_in_an_object.json": Good(["A-1", "A-2"], [(2, "row.not_a_survey"), (3, "row.no_household_id")]),
    "one_survey.json": Good(["A-1"]),
    "repeated_keys.json": Good(["A-1"]),
    "cut_in_the_middle.json": Good(["A-1", "A-2"], [(3, "row.invalid_json")]),
    "two_households.json": Good(["A-2"], [(1, "row.two_households")]),
    "deep_answer.json": Good(["A-1"], [(2, "row.too_deep")]),
    "invalid_utf8.json": Good(["A-1"], [(2, "row.bad_text")]),
    "lone_surrogate.json": Good(["A-1"], [(2, "row.bad_text")]),
    "nul_character.json": Good(["A-1"], [(2, "row.nul_byte")]),
    "huge_number.json": Good(["A-1"]),
    "bad_lines.jsonl": Good(
        ["A-1", "A-3"],
        [(2, "row.invalid_json"), (4, "row.not_a_survey"), (5, "row.invalid_json"), (6, "row.too_deep")],
    ),
    "windows_1252.jsonl": Good(["A-1", "A-2"]),
    "surveys.parquet": Good(["A-1"], [(2, "row.bad_text"), (3, "row.no_household_id")]),
    "gzipped.csv.gz": Good(["A-1", "A-2"]),
    "gzipped_workbook.gz": Good(["A-1", "A-2", "A-3"]),
    "several.zip": Good(["A-1", "A-2", "A-3", "A-5"], [(6, "row.ragged"), (8, "file.not_csv")]),
}


@dataclass
class Contents:
    """All that the readers made of a file."""

    submissions: list[dict[str, str]] = field(default_factory=list)
    extras: list[str | None] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    formats: list[str] = field(default_factory=list)
    estimates: list[int] = field(default_factory=list)


def read(content: bytes, filename: str = "", *, file_type: str | None = None, sheet: str | None = None) -> Contents:
    contents = Contents()
    with open_survey_files(io.BytesIO(content), CONTRACT, filename=filename, file_type=file_type, sheet=sheet) as files:
        for file in files:
            contents.formats.append(file.format)
            contents.estimates.append(file.estimated_rows)
            for item in file.submissions():
                add(contents, file.names, item)
            contents.notices += file.notices
            contents.unknown += file.unknown
    return contents


def add(contents: Contents, names: list[str], item: Submission | Rejection) -> None:
    if isinstance(item, Rejection):
        contents.rejections.append(item)
        return
    (cells,) = csv.reader([item.line])
    contents.submissions.append({name: cell for name, cell in zip(names, cells, strict=True) if cell})
    contents.extras.append(item.extras)


def read_case(name: str, *, file_type: str | None = None, sheet: str | None = None) -> Contents:
    return read((CASES / name).read_bytes(), name, file_type=file_type, sheet=sheet)


def processor_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def test_every_case_is_listed() -> None:
    named = {path.name for path in CASES.iterdir() if path.is_file() and path.suffix != ".csv"}
    assert named == REFUSED.keys() | READ.keys()


@pytest.mark.parametrize(("name", "code"), REFUSED.items())
def test_refused_file_says_why_and_costs_little(name: str, code: str) -> None:
    costs = []
    for _ in range(3):  # the first one may import a library
        before = processor_seconds()
        with pytest.raises(UnreadableFileError) as refusal:
            read_case(name)
        costs.append(processor_seconds() - before)
        assert refusal.value.error_code == code
    assert min(costs) < REFUSAL_SECONDS


@pytest.mark.parametrize(("name", "expected"), READ.items())
def test_good_rows_come_through(name: str, expected: Good) -> None:
    contents = read_case(name)
    assert [survey["household_id"] for survey in contents.submissions] == expected.households
    assert [(row.number, row.code) for row in contents.rejections] == expected.rejected


def test_workbook_cells_are_as_a_csv_file_has_them() -> None:
    first, second, third = read_case("workbook.xlsx").submissions
    assert first == {
        "household_id": "A-1", "district": "Kanungu", "household_size": "5", "survey_date": "2026-02-28",
        "has_latrine": "true", "agricultural_land_acres": "2.5",
    }  # fmt: skip
    assert (second["household_size"], second["survey_date"], second["has_latrine"]) == (
        "4",
        "2026-02-27T10:30:00",
        "false",
    )
    assert third == {"household_id": "A-3", "household_size": "7", "agricultural_land_acres": "1000000"}


def test_named_sheet_is_read() -> None:
    assert read_case("workbook.xlsx", sheet="Villages").submissions == [{"household_id": "B-1", "village": "V1"}]
    with pytest.raises(UnreadableFileError, match="'Surveys', 'Villages'") as refusal:
        read_case("workbook.xlsx", sheet="villages")
    assert refusal.value.error_code == "file.no_sheet"


def test_what_a_workbook_has_beyond_the_contract_is_kept_and_noted() -> None:
    contents = read_case("workbook_with_title.xlsx")
    assert contents.extras == ['{"wall colour":"blue"}']
    assert contents.unknown == ["", "wall colour"]
    assert contents.notices == ["1 blank lines were passed over."]


def test_json_values_are_kept_to_the_letter() -> None:
    contents = read_case("surveys.json")
    assert contents.submissions == [
        {
            "household_id": "A-1", "district": "Kanungu", "household_size": "5", "agricultural_land_acres": "1.10",
            "has_latrine": "true",
        },
        {"household_id": "A-2", "district": "Mitooma"},
    ]  # fmt: skip
    assert contents.extras == [None, '{"children":"[{\\"age\\":4},{\\"age\\":7.50}]"}']


def test_second_value_of_a_repeated_key_is_kept() -> None:
    contents = read_case("repeated_keys.json")
    assert contents.submissions == [{"household_id": "A-1", "district": "Kanungu"}]
    assert contents.extras == ['{"district#2":"Mitooma","children":"{\\"a\\":1,\\"a#2\\":2}"}']
    assert contents.notices == ["2 objects give one name twice; the second value is kept under NAME#2."]


def test_what_stands_beside_the_surveys_is_noted() -> None:
    assert read_case("surveys_in_an_object.json").notices == ["'form' stands beside the surveys and was passed over."]


def test_lines_of_another_encoding_are_read_and_noted() -> None:
    contents = read_case("windows_1252.jsonl")
    assert contents.submissions[1]["village"] == "Villagé"
    assert contents.notices == ["1 lines were not UTF-8 and were read as Windows-1252."]


def test_parquet_values_are_text() -> None:
    contents = read_case("surveys.parquet")
    assert contents.submissions == [
        {"household_id": "A-1", "household_size": "5", "survey_date": "2026-02-28", "has_latrine": "true",
         "village": "V1"}
    ]  # fmt: skip
    assert contents.extras == ['{"children":"[{\\"age\\": 4}]"}']
    assert contents.estimates == [3]


def test_rejected_rows_of_an_archive_name_their_file() -> None:
    contents = read_case("several.zip")
    assert contents.formats == ["csv", "csv", "json", "unknown"]
    assert [row.message for row in contents.rejections] == [
        "a.csv, 3: The row has 1 cells, the header has 2.",
        "readme.pdf: The file is a PDF, not CSV.",
    ]


@pytest.mark.parametrize(
    ("name", "file_type", "code"),
    [
        ("workbook.xlsx", "csv", "file.wrong_type"),
        ("ragged_rows.csv", "excel", "file.wrong_type"),
        ("ragged_rows.csv", "parquet", "file.wrong_type"),
        ("gzipped.csv.gz", "json", "file.wrong_type"),
        ("surveys.json", "csv", "file.wrong_type"),
        ("surveys.json", "shapefile", "file.unknown_type"),
    ],
)
def test_declared_type_must_be_true(name: str, file_type: str, code: str) -> None:
    with pytest.raises(UnreadableFileError) as refusal:
        read_case(name, file_type=file_type)
    assert refusal.value.error_code == code


@pytest.mark.parametrize(
    ("name", "file_type"),
    [
        ("workbook.xlsx", "Excel"),
        ("gzipped_workbook.gz", "xlsx"),
        ("surveys.json", "json"),
        ("bad_lines.jsonl", "jsonl"),
    ],
)
def test_true_type_is_taken(name: str, file_type: str) -> None:
    assert read_case(name, file_type=file_type).submissions == read_case(name).submissions


def test_content_counts_and_not_the_name() -> None:
    content = (CASES / "workbook.xlsx").read_bytes()
    assert read(content, "survey.csv").formats == ["excel"]
    assert read(b'{"household_id": "A-1"}\n{"household_id": "A-2"}\n', "survey.txt").formats == ["jsonl"]
    assert read(b'{"household_id": \n"A-1"}', "survey.json").formats == ["json"]
    assert read(b'{"household_id": \n{"household_id": "A-1"}\n', "survey.jsonl").formats == ["jsonl"]


def test_table_of_contents_without_end_is_not_read() -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        for number in range(100 * MEMBERS):
            writer.writestr(zipfile.ZipInfo(f"{number}/survey-of-a-village.csv"), b"")
    before = processor_seconds()
    with pytest.raises(UnreadableFileError) as refusal:
        read(archive.getvalue())
    assert refusal.value.error_code == "file.too_many_members"
    assert processor_seconds() - before < REFUSAL_SECONDS


def long_array() -> Iterator[bytes]:
    yield b"["
    survey = b'{"household_id": "A-1", "colour": "' + b"v" * 900 + b'"},\n'
    for _ in range(30):
        yield survey * 1_000
    yield b'{"household_id": "A-2"}]'


def endless_quote() -> Iterator[bytes]:
    yield b'[{"household_id": "A-1"}, {"household_id": "A-2'
    yield from (b"x" * 1_000_000 for _ in range(30))


@pytest.mark.parametrize(
    ("content", "surveys", "rejected"),
    [(long_array, 30_001, []), (endless_quote, 1, ["row.survey_too_large"])],
)
def test_json_is_never_in_memory_whole(
    content: Callable[[], Iterator[bytes]], surveys: int, rejected: list[str]
) -> None:
    file = io.BytesIO(b"".join(content()))
    tracemalloc.start()
    with open_survey_files(file, CONTRACT, filename="surveys.json") as (survey_file,):
        found = [type(item) is Submission or item.code for item in survey_file.submissions()]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.count(True) == surveys
    assert [code for code in found if code is not True] == rejected
    assert peak < len(file.getbuffer())
