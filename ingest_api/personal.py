"""Personal answers leave a row before it is stored: they go into an encrypted token, and stand-ins take their place."""

import csv
import io
import math
import re
from binascii import hexlify
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache, partial
from hashlib import blake2b
from typing import NamedTuple, Protocol

import orjson

from ingest_api.detection import Detector, Kind, bare_names, kinds_of_text, kinds_within, say_header
from ingest_api.layouts import SUBMISSION_ID
from ingest_api.records import Submission, csv_line, identify
from warehouse.contract import PersonalKind, load_contract
from warehouse.crypto.keys import KeyRing

STAND_IN, MALFORMED = "personal:", "malformed:"
DECIMALS = 2  # of a coordinate that stays: about a kilometre
HASH_BYTES = 16
LETTERS = bytes.maketrans(b"0123456789", b"ghijklmnop")  # in which no telephone number can be seen
COUNTRY_CODE = "256"
PHONE = re.compile(r"[+]?[0-9][0-9 ()/.-]{7,24}")
NOT_DIGITS = re.compile(r"[^0-9]")
EXTRAS = "extras"  # goes before the name of an answer that stands there under the name of a field
CONTENT = "content"  # the name under which the text of a rejected row is kept
KINDS: dict[PersonalKind, Kind] = {
    "name": "name",
    "phone": "phone",
    "coordinate": "coordinates",
    "identifier": "identifier",
}


class Finding(NamedTuple):
    """Personal data in a field that the contract does not mark."""

    field: str
    kind: str


@dataclass
class Sealed:
    """Rows without what is personal in them.

    Attributes:
        submissions: the rows, stand-ins in the place of personal answers.
        tokens: the encrypted personal answers of a row, by the row's number.
        findings: what a row held that the contract does not mark, by the row's number.
    """

    submissions: list[Submission] = field(default_factory=list)
    tokens: dict[int, str] = field(default_factory=dict)
    findings: dict[int, list[Finding]] = field(default_factory=dict)


class Hasher(Protocol):
    """Makes the hash of a text under a key."""

    def __call__(self, text: str) -> str:
        """The hash."""


class Sealer:
    """Takes personal answers out of the rows of one table.

    Args:
        keys: what they are encrypted with.
        form: the form that the rows are of.
        names: the fields that every row has, in order.
    """

    def __init__(self, keys: KeyRing, form: str, names: Sequence[str]) -> None:
        self._keys = keys
        self._form, self._names = form, names
        self._content_digest = _digester(keys.derive("content"))
        marked = _marked(form)
        self._makers = _makers(_hasher(keys.derive("stand-in")))
        self._stand_in = self._makers["name"]
        self._marked = [
            (position, name, self._makers[marked[name]]) for position, name in enumerate(names) if name in marked
        ]
        self._tail = len(names) - min((position for position, _, _ in self._marked), default=0)
        self._detector = Detector(names, marked.keys(), partial(_kind_marked, form))

    def seal(self, submissions: Sequence[Submission]) -> Sealed:
        """The rows, each with its personal answers taken out: first what the contract marks, then what is found."""
        sealed = Sealed()
        personal: dict[int, dict[str, str]] = {}
        rows = [self._take_marked(row, personal) for row in submissions] if self._marked else list(submissions)
        for position in self._detector.suspicious([_searched(row) for row in rows]):
            rows[position] = self._take_found(rows[position], personal, sealed.findings)
        if personal:
            rows = [self._renamed(row) if row.number in personal else row for row in rows]
            sealed.tokens = {number: self._keys.seal(orjson.dumps(each)).decode() for number, each in personal.items()}
        sealed.submissions = rows
        return sealed

    def _take_marked(self, row: Submission, personal: dict[int, dict[str, str]]) -> Submission:
        """The row with stand-ins for what the contract marks."""
        number, key, identity, content_hash, line, extras, deprecates = row
        is_plain = '"' not in line
        # Nothing is parted that stands before the first of them: a row has many cells, and most are not personal.
        cells = line.rsplit(",", self._tail) if is_plain else _cells(line)
        offset = len(cells) - len(self._names)
        taken: dict[str, str] = {}
        for position, name, stand_in in self._marked:
            answer = cells[position + offset].strip()
            if answer:
                taken[name] = cells[position + offset]
                cells[position + offset] = stand_in(answer)
        if not taken:
            return row
        personal[number] = taken
        line = ",".join(cells) if is_plain else csv_line(cells)
        return Submission(number, key, identity, content_hash, line, extras, deprecates)

    def _take_found(
        self, row: Submission, personal: dict[int, dict[str, str]], findings: dict[int, list[Finding]]
    ) -> Submission:
        """The row with stand-ins for what the contract does not mark in its fields and is personal all the same."""
        cells = _cells(row.line)
        extras: dict[str, str] = orjson.loads(row.extras) if row.extras else {}
        taken: dict[str, str] = {}
        found = self._detector.find(cells, extras)
        listed = [Finding(name, kind) for name, kinds in found.fields.items() for kind in kinds]
        for name in found.fields:
            position = self._names.index(name)
            taken[name] = cells[position]
            cells[position] = self._stand_in(cells[position])
        listed += self._take_extras(extras, found.extras, taken)
        row = self._take_keys(row, taken)
        if not taken:
            return row
        personal[row.number] = personal.get(row.number, {}) | taken
        if listed:
            findings[row.number] = listed
        return row._replace(line=csv_line(cells), extras=orjson.dumps(extras).decode() if extras else None)

    def _take_extras(
        self, extras: dict[str, str], found: Mapping[str, Sequence[Kind]], taken: dict[str, str]
    ) -> list[Finding]:
        """Put stand-ins into the extras for what was found, and for what is another of a field that is marked."""
        listed = []
        for header, answer in list(extras.items()):
            marked = marked_kind(self._form, header)
            kinds = found.get(header, ())
            if kinds_within(header):
                hidden = self._stand_in(header)
                taken[hidden], extras[hidden] = f"{header}: {extras.pop(header)}", self._stand_in(answer)
                listed += [Finding(hidden, kind) for kind in kinds]
            elif marked or kinds:
                taken[f"{EXTRAS}/{header}" if header in self._names else header] = answer
                extras[header] = self._makers[marked or "name"](answer.strip())
                listed += [] if marked else [Finding(header, kind) for kind in kinds]
        return listed

    def _take_keys(self, row: Submission, taken: dict[str, str]) -> Submission:
        """The row under other names where its own, or that of the one it corrects, is a number or an address."""
        if _is_chosen(row.key) and kinds_of_text(row.key):
            taken[SUBMISSION_ID] = row.key
            key = self._stand_in(row.key)
            row = row._replace(key=key, identity=identify(self._form, key))
        if row.deprecates is not None and kinds_of_text(row.deprecates):
            row = row._replace(deprecates=self._stand_in(row.deprecates))
        return row

    def _renamed(self, row: Submission) -> Submission:
        """The row under a hash of its content that nobody can make without the key, as others know the content."""
        number, key, identity, content_hash, line, extras, deprecates = row
        digest = self._content_digest(content_hash).decode()
        if identity != content_hash:
            return Submission(number, key, identity, digest, line, extras, deprecates)
        return Submission(number, f"content:{digest}", digest, digest, line, extras, deprecates)


def seal_text(keys: KeyRing, text: str) -> str:
    """A token that holds a text which nobody could read as answers: that of a rejected row."""
    return keys.seal(orjson.dumps({CONTENT: text})).decode()


def open_token(keys: KeyRing, token: str) -> dict[str, str]:
    """The personal answers that a token holds, by field.

    Raises:
        IntegrityError: none of the keys opens it.
    """
    answers: dict[str, str] = orjson.loads(keys.open(token))
    return answers


def stand_in_of(keys: KeyRing, kind: PersonalKind, answer: str) -> str:
    """What stands in a row in the place of a personal answer: what to look for when one looks for a person."""
    return _makers(_hasher(keys.derive("stand-in")))[kind](answer.strip())


def hide_number(keys: KeyRing, name: str) -> str:
    """A name that a sender chose for a device or a request; a stand-in where it is somebody's number or address."""
    return stand_in_of(keys, "name", name) if kinds_of_text(name) else name


@lru_cache(4096)
def marked_kind(form: str, header: str) -> PersonalKind | None:
    """The kind of the marked field that a header of the extras names once more: `grp/enumerator_id`, `latitude#2`."""
    resolved = (load_contract(form).resolve([name])[0] for name in bare_names(header))
    return next((kind for name in resolved if name and (kind := _marked(form).get(name))), None)


def keyed_digest(keys: KeyRing, content: bytes) -> str:
    """64 hexadecimal digits by which equal bodies are known and from which nobody can guess what is in them."""
    return blake2b(content, key=keys.derive("body"), digest_size=32).hexdigest()


def describe_findings(findings: Mapping[Finding, int]) -> list[dict[str, str | int]]:
    """Findings as the ledger keeps them, the most frequent first."""
    ordered = sorted(findings.items(), key=lambda found: (-found[1], found[0]))
    return [{"field": name, "kind": kind, "rows": rows} for (name, kind), rows in ordered]


def say_findings(findings: Iterable[Mapping[str, str | int]], became: str = "was encrypted") -> list[str]:
    """Findings in words, a line for each field.

    Args:
        findings: as `describe_findings` gives them.
        became: what was, or would be, done about it.
    """
    kinds: dict[str, list[str]] = {}
    for found in findings:
        kinds.setdefault(str(found["field"]), []).append(f"{found['kind']} in {found['rows']:,} rows")
    return [
        f"{name!r} holds personal data ({', '.join(told)}), and the contract does not say so; it {became}."
        for name, told in kinds.items()
    ]


def say_unknown(form: str, headers: Iterable[str], findings: Iterable[Finding]) -> list[str]:
    """What becomes of the columns that the contract does not know; of those with findings, the findings say it."""
    found = {each.field for each in findings}
    return [
        f"Column {say_header(header)} is not in the contract; kept in extras, {_manner(form, header)}."
        for header in headers
        if header.strip() and header not in found
    ]


def _manner(form: str, header: str) -> str:
    """How a column is kept in which nothing unmarked was found."""
    if marked_kind(form, header):
        return "encrypted as the field that it names again"
    return "where its name is encrypted" if kinds_within(header) else "readable"


def _is_chosen(key: str) -> bool:
    """Whether a sender chose a submission's key; who names a request has that name hidden where it comes in."""
    return not key.startswith(("content:", "client:"))


def _searched(row: Submission) -> str:
    """The text of a row in which something personal may stand, its extras at the end."""
    if not _is_chosen(row.key):
        return row.line + (row.extras or "")
    return f"{row.key},{row.deprecates or ''},{row.line}{row.extras or ''}"


def _kind_marked(form: str, header: str) -> Kind | None:
    kind = marked_kind(form, header)
    return KINDS[kind] if kind else None


@cache
def _marked(form: str) -> dict[str, PersonalKind]:
    """The kind of each field that the contract marks."""
    return {each.name: each.pii_kind for each in load_contract(form).fields if each.pii}


def _cells(line: str) -> list[str]:
    """The cells of a line of CSV."""
    return line.split(",") if '"' not in line else next(csv.reader(io.StringIO(line, newline="")))


def _hasher(key: bytes) -> Hasher:
    """Makes 32 letters of a text."""
    digest = _digester(key)
    return lambda text: digest(text).translate(LETTERS).decode()


def _digester(key: bytes) -> Callable[[str], bytes]:
    """Makes 32 hexadecimal digits of a text."""
    begun = blake2b(key=key, digest_size=HASH_BYTES)

    def digest(text: str) -> bytes:
        state = begun.copy()
        state.update(text.encode())
        return hexlify(state.digest())

    return digest


def _makers(digest: Hasher) -> dict[str, Callable[[str], str]]:
    """What makes the stand-in of each kind of answer."""

    def of_text(answer: str) -> str:
        return STAND_IN + digest(_plain(answer))

    def of_phone(answer: str) -> str:
        if not PHONE.fullmatch(answer):
            return MALFORMED + digest(_plain(answer))
        return STAND_IN + digest(_whole_number(answer))

    def of_coordinate(answer: str) -> str:
        try:
            value = float(answer)
        except ValueError:
            value = math.nan
        return str(round(value, DECIMALS)) if math.isfinite(value) else MALFORMED + digest(_plain(answer))

    return {"name": of_text, "identifier": of_text, "phone": of_phone, "coordinate": of_coordinate}


def _plain(answer: str) -> str:
    """A text in which case and spaces do not matter."""
    return " ".join(answer.split()).casefold()


def _whole_number(answer: str) -> str:
    """The digits of a telephone number with its country's code; one without any is taken for Ugandan."""
    digits = NOT_DIGITS.sub("", answer)
    if digits.startswith("00"):
        return digits[2:]
    if digits.startswith("0"):
        return COUNTRY_CODE + digits[1:]
    is_national = len(digits) == 9 and not answer.startswith("+")
    return COUNTRY_CODE + digits if is_national else digits
