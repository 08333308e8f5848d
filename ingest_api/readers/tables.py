"""What all tables share: the search for their header, and rows made of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ingest_api.layouts import Layout
from ingest_api.readers.limits import HEADER_ROWS, check_columns
from ingest_api.records import Rejection, Submission, excerpt_of_cells
from warehouse.contract import Contract
from warehouse.errors import UnreadableFileError

Row = tuple[int, Sequence[str]]


@dataclass
class Table:
    """A table of cells whose header is known; iterate once over `submissions`.

    Attributes:
        layout: what its columns are.
        rows: the number and the cells of each row under the header.
        estimated_rows: how many they are.
        format: excel or parquet.
        notices: what its sender should know, complete after the last submission.
    """

    layout: Layout
    rows: Iterator[Row]
    estimated_rows: int
    format: str
    notices: list[str] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """The fields that its rows have, in order."""
        return self.layout.names

    @property
    def unknown(self) -> list[str]:
        """The headers that the contract does not know."""
        return self.layout.unknown

    def submissions(self) -> Iterator[Submission | Rejection]:
        """Every row, in order; blank ones are none."""
        width, blank = self.layout.width, 0
        for number, cells in self.rows:
            if any(cells[width:]):
                message = f"The row has cells beyond the {width} columns of the header."
                yield Rejection(number, "row.ragged", message, excerpt_of_cells(cells))
            elif any(cells):
                yield self.layout.submission(number, cells[:width])
            else:
                blank += 1
        if blank:
            self.notices.append(f"{blank} blank lines were passed over.")


def find_header(rows: Iterable[Row], contract: Contract) -> Layout:
    """Read rows until one of them names the form's fields; what stands above it is a title.

    Raises:
        UnreadableFileError: no row does.
    """
    first: Layout | None = None
    for seen, (_, cells) in enumerate((row for row in rows if any(row[1])), start=1):
        layout = Layout(contract, _without_blank_end(cells))
        if layout.has_identifier:
            return layout
        first = first or layout
        if seen == HEADER_ROWS:
            break
    if first is None:
        raise UnreadableFileError("The file is empty.", code="file.empty", remedy="Send a header and one row a survey.")
    raise unknown_fields(contract, first)


def unknown_fields(contract: Contract, layout: Layout) -> UnreadableFileError:
    """The error that says what a header lacks."""
    if layout.names:
        return UnreadableFileError(
            f"No column holds the identifier ({contract.identifier}).",
            code="file.no_identifier",
            remedy=f"Add a column {contract.identifier}.",
        )
    # What stands there is not repeated: where the header is missing, it is somebody's answers.
    return UnreadableFileError(
        f"None of the {len(layout.unknown)} columns of the header is a field of the form {contract.form}.",
        code="file.unknown_header",
        remedy="The first line must name the fields.",
    )


def no_rows() -> UnreadableFileError:
    """The error of a file that holds no survey."""
    return UnreadableFileError("The file has a header and no rows.", code="file.no_rows")


def _without_blank_end(cells: Sequence[str]) -> Sequence[str]:
    width = max(position for position, cell in enumerate(cells, start=1) if cell.strip() or position == 1)
    check_columns(width)
    return cells[:width]
