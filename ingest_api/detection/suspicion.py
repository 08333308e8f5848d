"""Which of many lines may hold something personal: one search in C, wider than the exact judgement.

RE2 asks ten thousand ordinary lines in the time in which Python's own expressions ask a hundred. It makes its automaton
anew at each call, which a handful of lines is not worth.
"""

import re
from collections.abc import Sequence

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from ingest_api.detection.answers import CUES, LINKS, TITLES, WRITTEN_PLAINLY
from ingest_api.detection.headers import kind_of_header

FEW = 32  # lines
GAP = "[ ()./-]*"
NO_DOT = "[ ()/-]*"
START = "(?:^|[^0-9.]|[^0-9][.])"
DECIMALS = "[0-9][.][0-9]{3,} ?°? ?[NSEW]?"
UNUSUAL = f"[{''.join(map(chr, WRITTEN_PLAINLY))}]"
USUAL = "(?i)" + "|".join(
    (
        "[@°º˚]",
        f"{START}0{NO_DOT}[2-9](?:{GAP}[0-9]){{8}}",
        f"{START}256(?:{NO_DOT}|[.][0-9]{{2,4}}[.])[0-9](?:{GAP}[0-9]){{5}}",
        f"{START}00{NO_DOT}[1-9](?:{GAP}[0-9]){{6}}",
        "[+][ (]*[1-9]",
        "[CAFPR][MF][ -]?[0-9](?:[ -]?[0-9]){4}",
        f"{DECIMALS}[ ;/|]{{1,3}}[-+]?[0-9]{{1,3}}[.][0-9]{{3}}",
        # Only within quotes a comma parts two numbers of one cell.
        rf'(?:^|[,:])"(?:[^"]|""|\\")*{DECIMALS}[ ;/|]{{0,2}},[ ,;/|]{{0,2}}[-+]?[0-9]',
        r"\b[NS] ?[0-9]{1,2} [0-9]{1,2}[.][0-9]{2}",
        "[23456789CFGHJMPQRVWX]{8}[+]",
        r"\b(?:POINT|LINESTRING|POLYGON) ?(?:Z|M|ZM)? ?[(]",
        "coordinates",
        LINKS,
        CUES,
        rf"\b(?:{TITLES})\b",
    )
)
SUSPICION = f"{USUAL}|{UNUSUAL}"
EXPRESSION, UNUSUAL_EXPRESSION = re.compile(USUAL), re.compile(UNUSUAL)  # as one they are a hundred times as slow
PLAIN_CELLS = re.compile(r",[-+]?[0-9]{0,9}(?:[.][0-9]+)?(?=,)")
EXTRAS = '{"'


def suspicious_lines(lines: Sequence[str]) -> list[int]:
    """The positions of the lines that may hold something personal."""
    array = _array(lines) if len(lines) >= FEW else None
    if array is None:
        return [position for position, line in enumerate(lines) if _is_suspicious(line)]
    found = _positions(pc.match_substring_regex(array, SUSPICION))
    with_extras = _positions(pc.ends_with(array, "}"))
    return sorted({*found, *(position for position in with_extras if _has_personal_header(lines[position]))})


def _array(lines: Sequence[str]) -> pa.Array | None:
    try:
        return pa.array(lines, pa.large_string())
    except UnicodeEncodeError:  # half a character; PostgreSQL will not have it either
        return None


def _positions(mask: pa.Array) -> list[int]:
    positions: list[int] = pc.indices_nonzero(mask).to_pylist()
    return positions


def _is_suspicious(line: str) -> bool:
    if line.endswith("}") and _has_personal_header(line):
        return True
    if not line.isascii() and UNUSUAL_EXPRESSION.search(line):
        return True
    return EXPRESSION.search(_without_numbers(line)) is not None


def _without_numbers(line: str) -> str:
    """The line without most cells in which there is a plain number: half of the characters, none of the suspicion."""
    cells, mark, extras = line.partition(EXTRAS)
    return line if '"' in cells else PLAIN_CELLS.sub("", cells) + mark + extras


def _has_personal_header(line: str) -> bool:
    begin = line.rfind(EXTRAS)
    try:
        return any(map(kind_of_header, orjson.loads(line[begin:])))
    except orjson.JSONDecodeError:
        return True
