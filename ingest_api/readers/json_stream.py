"""The surveys of a JSON text, one at a time: an array of them, an object with an array `surveys`, or a single one."""

import codecs
import io
import json
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from ingest_api.json_values import Documents
from ingest_api.readers.limits import SURVEY_CHARACTERS
from warehouse.errors import UnreadableFileError

CHUNK_BYTES = 256 * 1024
SURVEYS = "surveys"
SPACES = " \t\r\n"
LONGEST_WORD = 16  # -Infinity, an escape of two surrogates
ENCODINGS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class JsonStream:
    """Reads a JSON text piece by piece; of the text, one survey is in memory at a time.

    Bytes that are no UTF-8 become lone surrogates, so that the survey that holds them is refused and no other.

    Attributes:
        characters: how many have been read.
        passed_over: keys that stand beside the array `surveys`.
    """

    def __init__(self, file: BinaryIO, documents: Documents) -> None:
        self.characters = 0
        self.passed_over: list[str] = []
        self._documents = documents
        self._read = _text_reader(file)
        self._text = ""
        self._position = 0
        self._size = 0
        self._is_complete = False

    def surveys(self) -> Iterator[Any]:
        """Every survey, decoded; several texts may follow each other.

        Raises:
            UnreadableFileError: what follows is no JSON; the surveys before it have been given.
        """
        while opening := self._peek():
            if opening == "[":
                yield from self._array()
            else:
                yield from self._object()

    def _array(self) -> Iterator[Any]:
        self._expect("[")
        if self._peek() == "]":
            self._position += 1
            return
        while True:
            yield self._value()
            if self._expect(",]") == "]":
                return

    def _object(self) -> Iterator[Any]:
        """The surveys of an object's array, or the object itself where it has none."""
        pairs: list[tuple[str, Any]] = []
        size = 0
        has_array = False
        self._expect("{")
        while self._peek() != "}":
            key = self._value()
            self._expect(":")
            if key == SURVEYS and self._peek() == "[" and not has_array:
                has_array = True
                yield from self._array()
            else:
                pairs.append((str(key), self._value()))
                size += self._size
                _check_size(size)
            if self._expect(",}") == "}":
                break
        else:
            self._position += 1
        if has_array:
            self.passed_over += [key for key, _ in pairs]
        else:
            yield self._documents.collect(pairs)

    def _value(self) -> Any:
        self._peek()
        while True:
            try:
                value, end = self._documents.raw_decode(self._text, self._position)
            except RecursionError as error:
                raise UnreadableFileError("The JSON is nested too deeply.", code="file.too_deep") from error
            except ValueError as error:
                if not (self._may_be_cut(error) and self._read_more()):
                    raise self._broken(getattr(error, "msg", str(error))) from error
                continue
            if end == len(self._text) and self._read_more():
                continue  # a number may go on
            self._size = end - self._position
            self.characters += self._size
            self._position = end
            return value

    def _may_be_cut(self, error: ValueError) -> bool:
        """Whether the text that was read so far may be the beginning of good JSON."""
        if not isinstance(error, json.JSONDecodeError):
            return False
        return error.msg.startswith("Unterminated") or error.pos > len(self._text) - LONGEST_WORD

    def _peek(self) -> str:
        """The next character that is no space; nothing at the end."""
        while True:
            text, position = self._text, self._position
            while position < len(text) and text[position] in SPACES:
                position += 1
            self._position = position
            if position < len(text):
                return text[position]
            if not self._read_more():
                return ""

    def _expect(self, marks: str) -> str:
        found = self._peek()
        if not found or found not in marks:
            raise self._broken(f"{' or '.join(marks)} is missing")
        self._position += 1
        return found

    def _read_more(self) -> bool:
        """Forget what was read and add what follows; false at the end of the file."""
        if self._is_complete:
            return False
        rest = self._text[self._position :]
        _check_size(len(rest))
        # As much again as there is: what is read anew stays in proportion.
        more = self._read(max(CHUNK_BYTES, len(rest)))
        self._is_complete = not more
        self._text, self._position = rest + more, 0
        return bool(more)

    def _broken(self, reason: str) -> UnreadableFileError:
        around = self._text[self._position : self._position + 40]
        message = f"The file is no JSON: {reason}, at {around!r}." if around else f"The JSON ends too early: {reason}."
        return UnreadableFileError(message, code="file.invalid_json", remedy="Export it again and send it whole.")


def _check_size(characters: int) -> None:
    if characters > SURVEY_CHARACTERS:
        raise UnreadableFileError(
            f"A survey has more than {SURVEY_CHARACTERS:,} characters, or a quote is not closed.",
            code="file.survey_too_large",
        )


def _text_reader(file: BinaryIO) -> Callable[[int], str]:
    file.seek(0)
    head = file.read(3)
    file.seek(0)
    encoding = next((name for mark, name in ENCODINGS.items() if head.startswith(mark)), "utf-8")
    decoder = codecs.getincrementaldecoder(encoding)(errors="surrogateescape" if "8" in encoding else "replace")

    def read(size: int) -> str:
        text = io.StringIO()
        while not text.tell():
            block = file.read(size)
            text.write(decoder.decode(block, final=not block))
            if not block:
                break
        return text.getvalue()

    return read
