"""JSON and JSON lines: surveys as documents, flat or with their answers under `survey_data`."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, BinaryIO

from ingest_api.detection import say_header
from ingest_api.json_values import NESTING, Documents, answer_text
from ingest_api.layouts import DocumentLayout, Layout
from ingest_api.readers.csv_lines import Lines
from ingest_api.readers.json_stream import JsonStream
from ingest_api.readers.limits import COLUMNS, HEADER_ROWS, SURVEY_CHARACTERS
from ingest_api.readers.tables import no_rows, unknown_fields
from ingest_api.records import Rejection, Submission, excerpt
from warehouse.contract import Contract
from warehouse.errors import UnreadableFileError

ANSWERS = "survey_data"
Document = tuple[int, Any]


@dataclass
class DocumentFile:
    """A file of JSON documents whose first ones have been read; iterate once over `submissions`.

    Attributes:
        contract: the form that its surveys are of.
        documents: the number and the value of each document, or why it is none.
        estimated_rows: by the size of the file and of its first documents.
        format: json or jsonl.
        end: what there is to note after the last document.
        notices: what its sender should know, complete after the last submission.
        unknown: none; a table has columns that nobody knows, a document answers.
    """

    contract: Contract
    documents: Iterator[Document]
    estimated_rows: int
    format: str
    end: Callable[[], list[str]]
    notices: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """All fields of the form, in order."""
        return list(self.contract.names)

    def submissions(self) -> Iterator[Submission | Rejection]:
        """Every document, in order."""
        layout = DocumentLayout(self.contract)
        for number, document in self.documents:
            yield (
                document
                if isinstance(document, Rejection)
                else document_submission(layout, self.contract, number, document)
            )
        self.notices += self.end()


def open_json(file: BinaryIO, contract: Contract) -> DocumentFile:
    """Read the first surveys of a JSON text: an array, an object with an array `surveys`, or one survey.

    Raises:
        UnreadableFileError: it is no JSON, or none of its first surveys is of the form.
    """
    decoder = Documents()
    stream = JsonStream(file, decoder)
    documents = _numbered(stream)
    first = _read_first(documents, contract)

    def end() -> list[str]:
        passed_over = [
            f"{say_header(key[:100])} stands beside the surveys and was passed over." for key in stream.passed_over
        ]
        return [*_note_repeated(decoder), *passed_over[:COLUMNS]]

    estimate = _estimate(file, first, stream.characters)
    return DocumentFile(contract, chain(first, documents), estimate, "json", end)


def open_json_lines(file: BinaryIO, contract: Contract) -> DocumentFile:
    """Read the first lines of a file that has one survey in each.

    Raises:
        UnreadableFileError: none of them is a survey of the form.
    """
    file.seek(0)
    decoder, lines = Documents(), Lines(file)
    characters = 0

    def documents() -> Iterator[Document]:
        nonlocal characters
        for line in lines:
            characters += len(line)
            if line.strip():
                yield lines.number, _decode_line(decoder, lines.number, line)

    def end() -> list[str]:
        recoded = f"{lines.recoded} lines were not UTF-8 and were read as Windows-1252."
        return [*_note_repeated(decoder), *([recoded] if lines.recoded else [])]

    rest = documents()
    first = _read_first(rest, contract)
    return DocumentFile(contract, chain(first, rest), _estimate(file, first, characters), "jsonl", end)


def answers_of(document: dict[str, Any], identifier: str) -> dict[str, str | None]:
    """A survey's answers by name; those under `survey_data` stand beside the others.

    Raises:
        ValueError: it names two households.
        RecursionError: an answer is nested too deeply.
    """
    nested = document.get(ANSWERS)
    if not isinstance(nested, dict):
        return {name: answer_text(value) for name, value in document.items()}
    answers = {name: answer_text(value) for name, value in document.items() if name != ANSWERS}
    subject = answers.get(identifier)
    for name, value in nested.items():
        text = answer_text(value)
        if name == identifier and text and subject and text.strip() != subject.strip():
            raise ValueError("The survey names two households.")
        answers[name if answers.get(name) in {None, text} else f"{name}#2"] = text
    return answers


def document_submission(
    layout: DocumentLayout, contract: Contract, number: int, document: Any
) -> Submission | Rejection:
    """A JSON document, flat or with its answers under `survey_data`, as it will be stored, or why it cannot be."""
    if not isinstance(document, dict):
        return Rejection(number, "row.not_a_survey", "A survey must be a JSON object.", _excerpt(document))
    nested = document.get(ANSWERS)
    if len(document) + (len(nested) if isinstance(nested, dict) else 0) > COLUMNS:
        return Rejection(number, "row.too_many_fields", f"More than {COLUMNS:,} fields.", _excerpt(document))
    try:
        return layout.submission(number, answers_of(document, contract.identifier))
    except ValueError as error:
        return Rejection(number, "row.two_households", str(error), _excerpt(document))
    except RecursionError:
        message = f"An answer is nested more than {NESTING} levels deep."
        return Rejection(number, "row.too_deep", message, _excerpt(document))


def _excerpt(document: Any) -> str:
    return excerpt(", ".join(document) if isinstance(document, dict) else type(document).__name__)


def _numbered(stream: JsonStream) -> Iterator[Document]:
    """The surveys with their places; what breaks the reading stands for all that would have followed."""
    number = 0
    try:
        for number, document in enumerate(stream.surveys(), start=1):
            yield number, document
    except UnreadableFileError as error:
        if number == 0:
            raise
        message = f"{error.message} Nothing after this place was read."
        yield number + 1, Rejection(number + 1, error.error_code.replace("file.", "row."), message, "")


def _decode_line(decoder: Documents, number: int, line: str) -> Any:
    """The line's document, or the reason why it is none."""
    if len(line) > SURVEY_CHARACTERS:
        message = f"The line has {len(line):,} characters, {SURVEY_CHARACTERS:,} are allowed."
        return Rejection(number, "row.survey_too_large", message, excerpt(line))
    try:
        return decoder.decode(line.strip("\ufeff \t\r\n"))
    except RecursionError:
        return Rejection(number, "row.too_deep", "The JSON is nested too deeply.", excerpt(line))
    except ValueError as error:
        return Rejection(number, "row.invalid_json", f"The line is no JSON: {error}.", excerpt(line))


def _read_first(documents: Iterator[Document], contract: Contract) -> list[Document]:
    """The first documents; one of them must say what it is about."""
    first = list(islice(documents, HEADER_ROWS))
    if not first:
        raise no_rows()
    found = [document for _, document in first if isinstance(document, dict)]
    if not found:
        _, document = first[0]
        told = document.message if isinstance(document, Rejection) else "There is no JSON object in it."
        raise UnreadableFileError(told, code="file.invalid_json", remedy="Send a list of surveys.")
    layouts = [Layout(contract, list(_names(document))) for document in found]
    if not any(layout.has_identifier for layout in layouts):
        raise unknown_fields(contract, max(layouts, key=lambda layout: len(layout.names)))
    return first


def _names(document: dict[str, Any]) -> Iterable[str]:
    nested = document.get(ANSWERS)
    return islice({**document, **(nested if isinstance(nested, dict) else {})}, COLUMNS)


def _estimate(file: BinaryIO, first: list[Document], characters: int) -> int:
    position = file.tell()
    size = file.seek(0, 2)
    file.seek(position)
    return max(1, round(size * len(first) / max(1, characters)))


def _note_repeated(decoder: Documents) -> list[str]:
    if not decoder.repeated:
        return []
    return [f"{decoder.repeated:,} objects give one name twice; the second value is kept under NAME#2."]
