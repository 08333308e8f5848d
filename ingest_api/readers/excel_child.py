"""The process that reads one sheet: writes its rows as JSON, a line each, and is bounded in memory and time.

A sheet is read whole, and a few bytes can claim billions of cells; what kills this process harms no other. It is run
as a script and imports nothing of Kyalo, so that it starts in 30 ms.
"""

import contextlib
import datetime as dt
import io
import json
import resource
import sys
from typing import Any

END = "end"


def cell_text(value: Any) -> str:
    """A cell as a CSV file would have it: whole numbers without a point, dates as ISO 8601 has them."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _number_text(value)
    if isinstance(value, dt.datetime) and value.tzinfo is None and value.time() == dt.time():
        return value.date().isoformat()
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    return "" if value is None else str(value)


def _number_text(value: float) -> str:
    if value != value:  # noqa: PLR0124 - not a number: a table's way to say that nothing was answered
        return ""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def main(sheet_name: str, memory_bytes: int, seconds: int, most_cells: int) -> None:
    """Write the sheet of the workbook on standard input: what it is, its rows, and END.

    Args:
        sheet_name: the sheet; the first one when blank.
        memory_bytes: what this process may take.
        seconds: of processor time.
        most_cells: how many cells a sheet may span.
    """
    for limit, value in ((resource.RLIMIT_AS, memory_bytes), (resource.RLIMIT_CPU, seconds)):
        with contextlib.suppress(ValueError, OSError):  # not every system can limit both
            resource.setrlimit(limit, (value, value))
    import python_calamine

    try:
        workbook = python_calamine.load_workbook(io.BytesIO(sys.stdin.buffer.read()))
        if sheet_name and sheet_name not in workbook.sheet_names:
            _write({"error": "file.no_sheet", "sheets": workbook.sheet_names})
            return
        sheet = workbook.get_sheet_by_name(sheet_name or workbook.sheet_names[0])
    except MemoryError:
        _write({"error": "file.too_large"})
    except python_calamine.PasswordError:
        _write({"error": "file.encrypted"})
    except (python_calamine.CalamineError, IndexError) as error:
        _write({"error": "file.damaged", "reason": str(error)})
    else:
        if sheet.total_height * sheet.width > most_cells:
            _write({"error": "file.too_large"})
            return
        _write({"sheet": sheet.name, "rows": sheet.height, "columns": sheet.width})
        for row in sheet.iter_rows():
            _write([cell_text(cell) for cell in row])
        _write(END)


def _write(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:5]))
