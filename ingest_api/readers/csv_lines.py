"""The decoded lines of a text file, as a CSV reader needs them: one at a time, and able to be given back."""

import io
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from warehouse.errors import UnreadableFileError

BLOCK_BYTES = 256 * 1024
LONGEST_LINE = 64 * 1024**2
MOST_LINES = 100  # of one record: beyond this a quote was opened and not closed
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
UTF8_MARK = b"\xef\xbb\xbf"
UNICODE_SPACES = tuple(map(chr, (133, 160, 5760, *range(8192, 8203), 8232, 8233, 8239, 8287, 12288)))
SPACE, COMMA, LINE_FEED, CARRIAGE_RETURN = b" ,\n\r"


class RecordTooLongError(Exception):
    """One record spans more lines than any survey has."""


class Lines:
    """Decoded lines that remember the record they belong to, and can give all but its first line back.

    Attributes:
        number: of the last line given.
        recoded: how many lines were no UTF-8.
        record: the lines given since `begin_record`.
        is_calm: whether the lines around the last one given have no cell with outer spaces or control characters.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.number = 0
        self.recoded = 0
        self.record: list[str] = []
        self.is_calm = False
        self._block_is_calm = False
        self._remembers = False
        self._pushed: deque[str] = deque()
        self._lines = self._decode(file)

    def __iter__(self) -> "Lines":
        """Itself."""
        return self

    def __next__(self) -> str:
        """The next line, with its ending."""
        if self._pushed:
            line = self._pushed.popleft()
            self.is_calm = False  # the lines around it may have been others
        else:
            line = next(self._lines)
            self.is_calm = self._block_is_calm
        self.number += 1
        if self._remembers:
            if len(self.record) >= MOST_LINES:
                self.push_back(line)
                raise RecordTooLongError
            self.record.append(line)
        return line

    def begin_record(self) -> None:
        """Remember the lines from here on."""
        self.record = []
        self._remembers = True

    def push_back(self, line: str) -> None:
        """Give the last line back: it is the next one."""
        self._pushed.appendleft(line)
        self.number -= 1

    def end_record(self) -> None:
        """Forget the lines of the record."""
        self.record = []
        self._remembers = False

    def retreat(self) -> str:
        """Give back all lines of the record but its first, which is returned."""
        first, *rest = self.record
        self._pushed.extendleft(reversed(rest))
        self.number -= len(rest)
        return first

    def has_more(self) -> bool:
        """Whether a line that is not blank follows soon."""
        ahead: list[str] = []
        for line in self:
            ahead.append(line)
            if line.strip() or len(ahead) >= MOST_LINES:
                break
        for line in reversed(ahead):
            self.push_back(line)
        return any(line.strip() for line in ahead)

    def _decode(self, file: BinaryIO) -> Iterator[str]:
        head = file.read(BLOCK_BYTES)
        start = 0
        while head[start:].startswith(UTF8_MARK):
            start += len(UTF8_MARK)
        file.seek(start)
        if head.startswith(UTF16_MARKS):
            yield from _wrapped_lines(file, "utf-16")
        elif b"\n" not in head and b"\r" in head:
            # Lines end in carriage returns alone; Latin-1 gives each byte back as it was.
            yield from (self._decode_line(line.encode("latin-1")) for line in _wrapped_lines(file, "latin-1"))
        else:
            while block := file.read(BLOCK_BYTES):
                yield from self._decode_block(block + _rest_of_line(file, block))

    def _decode_block(self, block: bytes) -> Iterator[str]:
        """The lines of whole lines; they are decoded together where they are UTF-8."""
        try:
            text = block.decode()
        except UnicodeDecodeError:
            self._block_is_calm = False
            # A carriage return ends a line as well; inside quotes the CSV reader joins the parts again.
            yield from map(self._decode_line, block.splitlines(keepends=True))
            return
        self._block_is_calm = _is_calm(block, text)
        if "\r" in text:
            yield from io.StringIO(text, newline="")
        else:
            yield from text.splitlines(keepends=True) if self._block_is_calm else io.StringIO(text)

    def _decode_line(self, line: bytes) -> str:
        for encoding in ("utf-8", "cp1252"):
            try:
                text = line.decode(encoding)
            except UnicodeDecodeError:
                continue
            self.recoded += encoding != "utf-8"
            return text
        self.recoded += 1
        return line.decode("latin-1")  # any byte is a character there


def _is_calm(block: bytes, text: str) -> bool:
    """Whether no space stands beside a comma or the end of a line, and there is no control character."""
    codes = np.frombuffer(block, np.uint8)
    ends = (codes == COMMA) | (codes == LINE_FEED) | (codes == CARRIAGE_RETURN)
    spaces = codes == SPACE
    controls = (codes < SPACE) & ~ends
    if controls.any() or (spaces[1:] & ends[:-1]).any() or (spaces[:-1] & ends[1:]).any() or spaces[:1].any():
        return False
    return text.isascii() or not any(space in text for space in UNICODE_SPACES)


def _rest_of_line(file: BinaryIO, block: bytes) -> bytes:
    if block.endswith(b"\n"):
        return b""
    rest = file.readline(LONGEST_LINE)
    if len(rest) == LONGEST_LINE:
        raise UnreadableFileError("A line is longer than 64 MiB.", code="file.line_too_long")
    return rest


def _wrapped_lines(file: BinaryIO, encoding: str) -> Iterator[str]:
    text = io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="")
    try:
        yield from text
    finally:
        if not file.closed:
            text.detach()  # the file is the caller's to close
