"""People who do not exist, each of whom can be found wherever a byte of them was left."""

import csv
import io
import json
import re
import struct
import zipfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.synth import write_surveys

NAMES = ("Nakayiza", "Tumuhairwe", "Kyarisiima", "Byamukama", "Ssekitoleko", "Nabukenya", "Turyasingura", "Atuhaire")
# What is looked for must be so long that no token and no number has it by chance.
SURNAME, ENDING = "Kwagalakwe", "515151"
CHUNK_BYTES = 4 * 1024**2
LONGEST = 64  # bytes of what is looked for
# As a number a coordinate has its first digits in its last bytes.
DEGREES = {struct.pack("<d", degrees)[5:] for degrees in (-0.9731, -0.9732, -0.9733, 29.9452, 29.9453, 29.9454)}
NUMBERS = b"|".join(b"(?s:.{5})" + re.escape(some) for some in sorted(DEGREES))
WORDS = rf"(?i:(?:{'|'.join(NAMES)}|{SURNAME})[a-j]{{4}})|(?:0\.973|29\.945)\d{{4}}{ENDING}".encode()
PHONES = rb"(?:(?<![0-9.])|(?<=[^0-9.]0)|(?<=256))7726[34]\d{4}(?!\d)"  # no part of another number
CANDIDATES = re.compile(b"|".join((WORDS, PHONES, NUMBERS)))


@dataclass(frozen=True)
class Person:
    """A household's survey and who answered it.

    Attributes:
        answers: header to answer, as a file has them, without what is personal.
    """

    number: int
    household_id: str
    answers: dict[str, str]

    @property
    def name(self) -> str:
        """Two words that nobody else has."""
        return f"{NAMES[self.number % len(NAMES)]}{_letters(self.number)} {SURNAME}{_letters(self.number)}"

    @property
    def phone(self) -> str:
        """A Ugandan number of this person alone."""
        return f"0772{637_000 + self.number}"

    @property
    def latitude(self) -> str:
        """Degrees with decimals that are this person's."""
        return f"-0.9{731_000 + self.number}{ENDING}"

    @property
    def longitude(self) -> str:
        """The same."""
        return f"29.9{452_000 + self.number}{ENDING}"

    @property
    def personal(self) -> dict[str, str]:
        """The four personal answers under their fields' names."""
        return {
            "respondent_name": self.name,
            "phone_number": self.phone,
            "latitude": self.latitude,
            "longitude": self.longitude,
        }

    @property
    def row(self) -> dict[str, str]:
        """All answers."""
        return self.answers | self.personal

    @property
    def traces(self) -> list[bytes]:
        """What must be found nowhere: each word of the name, the number, the coordinates as text and as numbers."""
        texts = [*self.name.split(), self.phone[1:], self.latitude[1:], self.longitude]
        numbers = [struct.pack("<d", float(text)) for text in (self.latitude, self.longitude)]
        return [*(text.lower().encode() for text in texts), *numbers]


def make_people(folder: Path, number: int) -> list[Person]:
    """Surveys that look like the real ones, each with a person."""
    path = folder / "made_up.csv"
    write_surveys(path, number)
    with path.open(newline="") as file:
        reader = csv.reader(file)
        headers = _told_apart(next(reader))
        rows = [dict(zip(headers, cells, strict=True)) for cells in reader]
    path.unlink()
    return [
        Person(place, household, row | {"HouseHoldID": household})
        for place, row in enumerate(rows[:number])
        if (household := f"MAR-{100 + place // 20}-KER-{place % 20 + 1}")
    ]


def as_csv(people: Sequence[Person]) -> bytes:
    """A file of them."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [*people[0].row])
    writer.writeheader()
    writer.writerows(person.row for person in people)
    return text.getvalue().encode()


def as_json(people: Sequence[Person], *, lines: bool = False) -> bytes:
    """An array of them, or a line each."""
    rows = [person.row for person in people]
    return "\n".join(map(json.dumps, rows)).encode() if lines else json.dumps(rows).encode()


def as_workbook(people: Sequence[Person]) -> bytes:
    """A workbook of them."""
    book, content = openpyxl.Workbook(), io.BytesIO()
    sheet = book.worksheets[0]
    sheet.append([*people[0].row])
    for person in people:
        sheet.append([*person.row.values()])
    book.save(content)
    return content.getvalue()


def as_parquet(people: Sequence[Person]) -> bytes:
    """A Parquet file of them."""
    content = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([person.row for person in people]), content)
    return content.getvalue()


def as_zip(people: Sequence[Person]) -> bytes:
    """An archive of a file of them."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:  # stored, so that what was left of it would be seen
        archive.writestr("surveys.csv", as_csv(people))
    return content.getvalue()


def traces_in(content: bytes, traces: Collection[bytes]) -> set[bytes]:
    """Which of the traces stand somewhere."""
    found = set(CANDIDATES.findall(content))
    return {*found, *map(bytes.lower, found)} & {*traces}


def traces_under(folder: Path, traces: Collection[bytes]) -> dict[str, set[bytes]]:
    """The files below a folder in which some of the traces stand."""
    found = {path: _traces_of(path, traces) for path in sorted(folder.rglob("*")) if path.is_file()}
    return {str(path.relative_to(folder)): some for path, some in found.items() if some}


def _traces_of(path: Path, traces: Collection[bytes]) -> set[bytes]:
    before, found = b"", set()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            found |= traces_in(before + chunk, traces)
            before = chunk[-LONGEST:]
    return found


def _letters(number: int) -> str:
    return f"{number:04}".translate(str.maketrans("0123456789", "abcdefghij"))


def _told_apart(headers: Sequence[str]) -> list[str]:
    """Headers of which the second of a kind is H#2, as Kyalo itself tells them apart."""
    seen: dict[str, int] = {}
    told = []
    for header in headers:
        seen[header] = seen.get(header, 0) + 1
        told.append(header if seen[header] == 1 else f"{header}#{seen[header]}")
    return told
