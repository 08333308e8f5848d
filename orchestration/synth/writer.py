"""Survey files in the shape of the field's export, some villages at a time."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from orchestration.synth.dirt import Dirt, Spoiler, resend, spoil_answers, spoil_identifiers
from orchestration.synth.headers import HEADERS, NAMES
from orchestration.synth.households import draw_answers
from orchestration.synth.identifiers import draw_identifiers
from orchestration.synth.money import MONEY_COLUMNS, PER_DAY
from orchestration.synth.parameters import District, Parameters, load_parameters
from orchestration.synth.villages import Villages, plan_villages
from warehouse.errors import ConfigurationError

VILLAGES_AT_A_TIME: Final = 1_000
_WRITERS: Final = 2
_OPTIONS: Final = pyarrow.csv.WriteOptions(include_header=False, quoting_style="none")
_FRACTIONAL: Final = frozenset(
    {"agricultural_land_acres", "minutes_to_water", "composting", "vsla_profits_usd", "assets_usd"}
    | set(MONEY_COLUMNS)
    | set(PER_DAY)
)
"""Columns that are not whole numbers."""


@dataclass(frozen=True)
class SynthSummary:
    """What was written.

    Attributes:
        path: the file.
        households: different households in it.
        rows: lines after the header: the households and the re-sends.
        villages: villages they live in.
        collisions: households that carry the identifier of another one.
        resends: rows that repeat an earlier row exactly.
        mixed_case: identifiers not in capitals, before collisions copied any.
        blanks: blank cells without a meaning.
        sentinels: refused numbers of phones.
        implausible: cells that no household can have answered.
        stray_characters: cells that hold a character by mistake.
    """

    path: Path
    households: int
    rows: int
    villages: int
    collisions: int
    resends: int
    mixed_case: int
    blanks: int
    sentinels: int
    implausible: int
    stray_characters: int


@dataclass(frozen=True)
class _Task:
    parameters: Parameters
    districts: tuple[District, ...]
    villages: Villages
    seed: np.random.SeedSequence
    clean: bool


def write_surveys(
    path: Path,
    households: int,
    *,
    seed: int = 42,
    clean: bool = False,
    districts: Sequence[str] | None = None,
) -> SynthSummary:
    """Write made-up surveys of `households` households to `path`; the same arguments give the same bytes.

    Args:
        path: file to write, replaced when it exists; its folder must exist.
        households: how many different households, at least 1.
        seed: chooses the file among all that could be drawn.
        clean: leave out everything that goes wrong in the field; blank cells with a meaning remain.
        districts: draw only from these; all measured ones by default.

    Returns:
        Counts of what the file holds.

    Raises:
        ConfigurationError: `households` is below 1, or a district was never measured.
    """
    if households < 1:
        raise ConfigurationError(f"Cannot write {households} households.", remedy="Ask for at least 1.")
    parameters = load_parameters()
    chosen = _choose(parameters, districts)
    root = np.random.SeedSequence(seed)
    villages = plan_villages(parameters, chosen, households, np.random.default_rng(root))
    seeds = root.spawn(-(-len(villages) // VILLAGES_AT_A_TIME))
    tasks = [
        _Task(parameters, chosen, villages.part(first, first + VILLAGES_AT_A_TIME), part_seed, clean)
        for first, part_seed in zip(range(0, len(villages), VILLAGES_AT_A_TIME), seeds, strict=True)
    ]
    dirt = Dirt()
    with path.open("wb") as file, ThreadPoolExecutor(_WRITERS) as pool:
        file.write(",".join(HEADERS).encode() + b"\n")
        for part, spoilt in pool.map(_write_part, tasks):
            file.write(part)
            dirt.add(spoilt)
    rows = households + dirt.resends
    return SynthSummary(path=path, households=households, rows=rows, villages=len(villages), **asdict(dirt))


def _choose(parameters: Parameters, districts: Sequence[str] | None) -> tuple[District, ...]:
    known = {district.name: district for district in parameters.districts}
    unknown = [name for name in districts or () if name not in known]
    if unknown:
        raise ConfigurationError(
            f"Nothing was measured in {', '.join(unknown)}.", remedy=f"Choose from {', '.join(known)}."
        )
    return tuple(known[name] for name in sorted(set(districts))) if districts else parameters.districts


def _write_part(task: _Task) -> tuple[memoryview, Dirt]:
    random = np.random.default_rng(task.seed)
    households = int(task.villages.households.sum())
    columns = draw_answers(task.parameters, task.districts, task.villages, random, clean=task.clean)
    prefixes = [district.name[:3].upper() for district in task.districts]
    identifiers = draw_identifiers(prefixes, task.villages, random)
    spoiler = Spoiler(households, task.parameters.rates, random)
    order = random.permutation(households)
    if not task.clean:
        spoil_answers(columns, spoiler)
        identifiers = spoil_identifiers(identifiers, task.villages, spoiler)
        order = order[resend(spoiler)]
    places = _places(task.districts, task.villages) | {"household_id": identifiers}
    arrays = [places[name] if name in places else _arrow(name, columns[name]) for name in NAMES]
    buffer = pa.BufferOutputStream()
    pyarrow.csv.write_csv(pa.table(arrays, NAMES).take(pa.array(order)), buffer, _OPTIONS)
    return memoryview(buffer.getvalue()), spoiler.dirt


def _places(districts: tuple[District, ...], villages: Villages) -> dict[str, Any]:
    """District, cluster and village of every household, as the export names them."""
    names = {
        "district": [districts[position].name for position in villages.district.tolist()],
        "cluster": [f"Cluster {number:02d}" for number in villages.cluster.tolist()],
        "village": [f"Village {number:03d}" for number in villages.number.tolist()],
    }
    village = pa.array(np.repeat(np.arange(len(villages)), villages.households))
    return {name: pa.array(values).take(village) for name, values in names.items()}


def _arrow(name: str, values: NDArray[Any]) -> Any:
    """A column as Arrow holds it: text, money and measures as they are, counts and codes as integers."""
    if values.dtype.kind != "f":
        return pa.array(values, pa.string())
    column = pa.array(values, from_pandas=True)
    return column if name in _FRACTIONAL else column.cast(pa.int64())
