"""Household identifiers, DDD-VVV-XXX-K: district, village, three letters, a number.

The letters differ between all households of a village and the village's number is its own, so an identifier
is never given twice; collisions are made on purpose, elsewhere.
"""

from itertools import product
from string import ascii_uppercase
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from orchestration.synth.villages import Integers, Villages

_CODES = tuple("".join(letters) for letters in product(ascii_uppercase, repeat=3))
_DIGITS = 3
_SMALLEST_NUMBER, _END_NUMBER = 100, 10_000
_ENDS_OF_STEPS = (1, 3, 5, 7, 9, 11)
"""Added to a multiple of 26 these share no factor with 26 x 26 x 26."""


def draw_identifiers(prefixes: list[str], villages: Villages, random: np.random.Generator) -> Any:
    """A text array with every household's identifier, in capitals; `prefixes` by position of district."""
    letters = _letters(villages, random)
    number = random.integers(_SMALLEST_NUMBER, _END_NUMBER, len(letters))
    village = np.repeat(np.arange(len(villages)), villages.households)
    parts = pa.array(
        f"{prefixes[district]}-{number:0{_DIGITS}d}"
        for district, number in zip(villages.district.tolist(), villages.number.tolist(), strict=True)
    )
    return pc.binary_join_element_wise(
        parts.take(pa.array(village)),
        pa.array(_CODES).take(pa.array(letters)),
        pa.array(number).cast(pa.string()),
        "-",
    )


def _letters(villages: Villages, random: np.random.Generator) -> Integers:
    """Positions among all three-letter codes: from a random start in steps that meet no code twice."""
    count = len(villages)
    start = random.integers(0, len(_CODES), count)
    step = 26 * random.integers(0, 26 * 26, count) + random.choice(_ENDS_OF_STEPS, count)
    sizes = villages.households
    ends = np.cumsum(sizes)
    position = np.arange(ends[-1]) - np.repeat(ends - sizes, sizes)
    walked = np.repeat(start, sizes) + position * np.repeat(step, sizes)
    return np.asarray(walked % len(_CODES), dtype=np.int64)


def write_carelessly(identifiers: Any, rows: Integers) -> Any:
    """The same identifiers, those of `rows` as somebody typed them: only the first letter in capitals."""
    chosen = np.zeros(len(identifiers), dtype=bool)
    chosen[rows] = True
    return pc.if_else(pa.array(chosen), pc.utf8_capitalize(identifiers), identifiers)
