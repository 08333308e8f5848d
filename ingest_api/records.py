"""What every door makes of a survey: its identity, its content's hash and its cells, ready to be stored."""

import csv
import hashlib
import io
from collections.abc import Sequence
from typing import NamedTuple

import orjson

LONGEST_NAME = 255
EXCERPT_LENGTH = 2_000
SEPARATOR = "\x1f"  # between the cells of what is hashed
EXTRAS_MARK = "\x1d"
KEY_MARK = "\x1c"
ESCAPES = str.maketrans({"\x1e": "\x1e0", SEPARATOR: "\x1e1", EXTRAS_MARK: "\x1e2"})
REPLACEMENT = "\ufffd"


class Rejection(NamedTuple):
    """A record that cannot be kept as a survey, with its reason and (the beginning of) its text."""

    number: int
    code: str
    message: str
    content: str


class Submission(NamedTuple):
    """A survey that can be stored; a tuple, for a million of them are made in a few seconds.

    Attributes:
        number: the line where its record begins, or its place among the surveys of a body.
        key: the sender's identity of it, or `content:` and its hash.
        identity: 128 bits in hexadecimal, of the form and the key; unique among stored submissions.
        content_hash: 128 bits in hexadecimal, of the form and all filled answers.
        line: its cells as one line of CSV, in the order of the layout's names.
        extras: what the contract does not know, as a JSON object; None when there is nothing.
        deprecates: the key of the earlier submission that it corrects.
    """

    number: int
    key: str
    identity: str
    content_hash: str
    line: str
    extras: str | None = None
    deprecates: str | None = None


def fingerprint(text: str) -> str:
    """128 bits of the text's SHA-256, in hexadecimal: PostgreSQL can compute the same, and keeps it as a uuid."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def identify(form: str, key: str) -> str:
    """The identity of a submission that its sender has named."""
    return fingerprint(f"{form}{KEY_MARK}{key}")


def given_key(key: str) -> str:
    """The key of a submission that its sender has named; never one that Kyalo gives itself."""
    return f"given:{key}" if key.startswith(("content:", "client:", "given:")) else key


def csv_line(cells: Sequence[str]) -> str:
    """Cells as one line of CSV without its ending, a blank cell as nothing."""
    line = ",".join(cells)
    if line.count(",") == len(cells) - 1 and not ('"' in line or "\n" in line or "\r" in line):
        return line
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)  # so that a lone carriage return is quoted, too
    return text.getvalue()[:-2]


def excerpt(text: str) -> str:
    """The beginning of a rejected row, as a table can keep it."""
    return text[:EXCERPT_LENGTH].replace("\0", REPLACEMENT).encode("utf-8", "replace").decode()


def excerpt_of_cells(cells: Sequence[str]) -> str:
    """The beginning of a rejected row that came as cells."""
    return excerpt(",".join(cell[:EXCERPT_LENGTH] for cell in cells))


def make_submission(
    form: str,
    number: int,
    *,
    ordered: Sequence[str],
    line: str,
    extras: dict[str, str],
    key: str,
    deprecates: str | None = None,
) -> Submission:
    """A submission from its cells in the contract's order; its content names it where `key` is blank."""
    text = f"{form}{SEPARATOR}{_canonical_row(ordered, line)}".rstrip(SEPARATOR)
    for header in sorted(extras):
        text += EXTRAS_MARK + header.translate(ESCAPES) + SEPARATOR + _canonical(extras[header])
    digest = fingerprint(text)
    return Submission(
        number=number,
        key=key or "content:" + digest,
        identity=identify(form, key) if key else digest,
        content_hash=digest,
        line=line,
        extras=orjson.dumps(extras).decode() if extras else None,
        deprecates=deprecates and given_key(deprecates),
    )


def _canonical_row(ordered: Sequence[str], line: str) -> str:
    """The cells as they are hashed; most lines are their own canonical form."""
    calm = line.isprintable() and not (", " in line or " ," in line or '"' in line) and line == line.strip()
    if calm and line == ",".join(ordered):
        return line.replace(",", SEPARATOR)
    return SEPARATOR.join(map(_canonical, ordered))


def _canonical(cell: str) -> str:
    """A cell as it is hashed: without outer spaces, the marks between cells written otherwise."""
    cell = cell.strip()
    return cell if cell.isprintable() else cell.translate(ESCAPES)
