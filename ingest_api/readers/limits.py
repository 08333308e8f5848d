"""What a file may cost: beyond these limits it is refused, however small it is on the wire."""

from warehouse.errors import UnreadableFileError

MEBIBYTE = 1024**2
EXPANDED_BYTES = 2 * 1024**3  # of all that an archive holds
FREE_BYTES = 10 * MEBIBYTE  # expanded before the ratio counts
RATIO = 100
MEMBERS = 100
DIRECTORY_BYTES = 512 * 1024  # an archive's table of contents: some 5,000 names
COLUMNS = 2_000
HEADER_ROWS = 20  # above the header a title may stand
SURVEY_CHARACTERS = 4 * MEBIBYTE
WORKBOOK_CELLS = 20_000_000
WORKBOOK_MEMORY = 300 * MEBIBYTE  # of the process that reads a sheet
PARQUET_MEMORY = 768 * MEBIBYTE  # of the process that reads its rows; half of it are libraries
WORKBOOK_SECONDS = 120  # of its processor time


def check_expansion(expanded: int, packed: int, most: int = EXPANDED_BYTES) -> None:
    """Refuse what grows too much.

    Args:
        expanded: bytes it has grown to, or says that it will.
        packed: bytes that they came from.
        most: bytes that it may grow to.

    Raises:
        UnreadableFileError: it is larger than allowed, or nothing honest packs so well.
    """
    if expanded > FREE_BYTES and expanded > RATIO * packed:
        raise UnreadableFileError(
            f"The file expands to more than {RATIO} times its size.",
            code="file.expands_too_much",
            remedy="Send it unpacked, or in parts.",
        )
    if expanded > most:
        raise UnreadableFileError(
            f"Unpacked, the file has more than {most:,} bytes.", code="file.too_large", remedy="Send it in parts."
        )


def check_columns(count: int) -> None:
    """Refuse a table that is wider than any survey.

    Raises:
        UnreadableFileError: it has too many columns.
    """
    if count > COLUMNS:
        raise UnreadableFileError(
            f"The table has {count:,} columns, {COLUMNS:,} are allowed.",
            code="file.too_many_columns",
            remedy="Send one column for each question.",
        )
