"""The files of an archive as one: their rows are numbered on, and what is wrong says in which of them."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ingest_api.readers.survey_file import SurveyFile
from ingest_api.records import Rejection, Submission
from warehouse.errors import UnreadableFileError


@dataclass
class Member:
    """A survey file out of an archive.

    Attributes:
        name: what the archive calls it.
        file: its reader.
        offset: the last number of the file before it.
        last: the last number given.
    """

    name: str
    file: SurveyFile
    offset: int
    last: int = field(init=False)

    def __post_init__(self) -> None:
        self.last = self.offset

    @property
    def names(self) -> list[str]:
        """The fields that its submissions have, in order."""
        return self.file.names

    @property
    def unknown(self) -> list[str]:
        """The columns that the contract does not know."""
        return self.file.unknown

    @property
    def format(self) -> str:
        """The format of the file."""
        return self.file.format

    @property
    def estimated_rows(self) -> int:
        """How many submissions it has, about."""
        return self.file.estimated_rows

    @property
    def notices(self) -> list[str]:
        """What its sender should know."""
        return [f"{self.name}: {notice}" for notice in self.file.notices]

    def submissions(self) -> Iterator[Submission | Rejection]:
        """Every survey, numbered on from the file before."""
        for item in self.file.submissions():
            self.last = self.offset + item.number
            if isinstance(item, Rejection):
                yield item._replace(number=self.last, message=f"{self.name}, {item.number}: {item.message}")
            else:
                yield item._replace(number=self.last) if self.offset else item


@dataclass
class UnreadableMember:
    """A file among others of an archive that cannot be read: one rejected row says so."""

    name: str
    number: int
    names: list[str]
    error: UnreadableFileError
    format: str = "unknown"
    estimated_rows: int = 1
    unknown: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def submissions(self) -> Iterator[Submission | Rejection]:
        """The rejection."""
        yield Rejection(self.number, self.error.error_code, f"{self.name}: {self.error.message}", "")
