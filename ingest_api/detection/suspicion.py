"""Which of many lines may hold something personal: one search in C, wider than the exact judgement.

RE2 asks ten thousand ordinary lines in the time in which Python's own expressions ask a hundred. It makes its automaton
anew at each call, which a handful of lines is not worth.
"""

import re
from collections.abc import Callable, Sequence

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from ingest_api.detection.answers import CUES, TITLES, WRITTEN_PLAINLY
from ingest_api.detection.places import LINKS, SIDES

FEW = 32  # lines
GAP = "[ ()./-]*"
NO_DOT = "[ ()/-]*"
START = "(?:^|[^0-9.]|[^0-9][.])"
BETWEEN = r"[ ;:/|\t\r\n]"
DECIMALS = "[0-9][.][0-9]{3,} ?°? ?[NSEW]?"
UNUSUAL = f"[{''.join(map(chr, WRITTEN_PLAINLY))}]"
NUMBERS = "|".join(
    (
        f"0{NO_DOT}[2-9](?:{GAP}[0-9]){{8}}",
        f"256(?:{NO_DOT}|[.][0-9]{{2,4}}[.])[0-9](?:{GAP}[0-9]){{5}}",
        f"00{NO_DOT}[1-9](?:{GAP}[0-9]){{6}}",
    )
)
WORDS = "|".join(
    (
        "U[ABDEF][A-Z] ?[0-9]{3} ?[A-Z]",
        "[NS] ?[0-9]{1,3}[ :][0-9]{1,2}(?:[.][0-9]{2}|[ :][0-9])",
        f"(?:{SIDES})[^0-9a-z]{{1,6}}[0-9]",
        "(?:POINT|LINESTRING|POLYGON) ?(?:Z|M|ZM)? ?[(]",
        rf"(?:{TITLES})\b",
    )
)
USUAL = "(?i)" + "|".join(
    (
        # What JSON writes with a backslash: another JSON, the break of a line.
        r"[@°º˚\\]",
        f"{START}(?:{NUMBERS})",
        "[+][ (]*[1-9]",
        "[CAFPR][MF][ -]?[0-9](?:[ -]?[0-9]){4}",
        f"{DECIMALS}{BETWEEN}{{1,3}}[-+]?[0-9]{{1,3}}[.][0-9]{{3}}",
        # Only within quotes a comma parts two numbers of one cell.
        rf'(?:^|[,:])"(?:[^"]|"")*{DECIMALS}{BETWEEN}{{0,2}},(?:{BETWEEN}|,){{0,2}}[-+]?[0-9]',
        f"[0-9],[0-9]{{4,}} ?°? ?[NSEW]?{BETWEEN}{{1,3}}[-+]?[0-9]{{1,3}},[0-9]{{4}}",
        r"[0-9][ :][0-9]{1,2}(?:[.][0-9]+)? ?[NS]\b",
        rf"\b(?:{WORDS})",
        "[23456789CFGHJMPQRVWX]{8}[+]",
        "coordinates",
        LINKS,
        CUES,
        # A cell or an extra that may be JSON.
        r'(?:^|[,:])"?[ \t\r\n]*\[|(?:^|,)"[ \t\r\n]*\{',
    )
)
SUSPICION = f"{USUAL}|{UNUSUAL}"
EXPRESSION, UNUSUAL_EXPRESSION = re.compile(USUAL), re.compile(UNUSUAL)  # as one they are a hundred times as slow
PLAIN_CELLS = re.compile(r",[-+]?[0-9]{0,9}(?:[.][0-9]+)?(?=,)")
EXTRAS = '{"'


def suspicious_lines(lines: Sequence[str], tells: Callable[[str], bool]) -> list[int]:
    """The positions of the lines that may hold something personal.

    Args:
        lines: of CSV, each with its extras as JSON behind it.
        tells: whether the header of an extra says that something personal may stand there.
    """
    array = _array(lines) if len(lines) >= FEW else None
    if array is None:
        return [position for position, line in enumerate(lines) if _is_suspicious(line, tells)]
    found = _positions(pc.match_substring_regex(array, SUSPICION))
    with_extras = _positions(pc.ends_with(array, "}"))
    return sorted({*found, *(position for position in with_extras if _has_personal_header(lines[position], tells))})


def _array(lines: Sequence[str]) -> pa.Array | None:
    try:
        return pa.array(lines, pa.large_string())
    except UnicodeEncodeError:  # half a character; PostgreSQL will not have it either
        return None


def _positions(mask: pa.Array) -> list[int]:
    positions: list[int] = pc.indices_nonzero(mask).to_pylist()
    return positions


def _is_suspicious(line: str, tells: Callable[[str], bool]) -> bool:
    if line.endswith("}") and _has_personal_header(line, tells):
        return True
    if not line.isascii() and UNUSUAL_EXPRESSION.search(line):
        return True
    return EXPRESSION.search(_without_numbers(line)) is not None


def _without_numbers(line: str) -> str:
    """The line without most cells in which there is a plain number: half of the characters, none of the suspicion."""
    cells, mark, extras = line.partition(EXTRAS)
    return line if '"' in cells else PLAIN_CELLS.sub("", cells) + mark + extras


def _has_personal_header(line: str, tells: Callable[[str], bool]) -> bool:
    begin = line.rfind(EXTRAS)
    try:
        return any(map(tells, orjson.loads(line[begin:])))
    except orjson.JSONDecodeError:
        return True
