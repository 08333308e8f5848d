"""What goes wrong between a household and the export, at the rates it was seen to go wrong."""

from dataclasses import dataclass, field, fields
from typing import Any, Final

import numpy as np
import pyarrow as pa

from orchestration.synth.households import Columns
from orchestration.synth.identifiers import write_carelessly
from orchestration.synth.villages import Integers, Villages

RESEND_RATE: Final = 0.005
RARE: Final = 1 / 2_800
"""Rate of a slip that was seen once in about 2,800 surveys."""
ENOUGH_HOUSEHOLDS: Final = 1_000
"""From here on every kind of dirt occurs at least once, however rare."""

REFUSED_PHONES: Final = -99
MANY_ACRES: Final = 90.0
MANY_RADIOS: Final = 21
STRAY_CHARACTER: Final = "`"


@dataclass
class Dirt:
    """How many rows carry each kind of dirt."""

    collisions: int = 0
    resends: int = 0
    mixed_case: int = 0
    blanks: int = 0
    sentinels: int = 0
    implausible: int = 0
    stray_characters: int = 0

    def add(self, other: "Dirt") -> None:
        """Count another part of the same file in."""
        for counted in fields(self):
            setattr(self, counted.name, getattr(self, counted.name) + getattr(other, counted.name))


@dataclass(frozen=True)
class Spoiler:
    """Chooses the rows that go wrong.

    Attributes:
        households: how many rows there are to choose from.
        rates: the measured rates by kind.
        random: source of the choice.
        dirt: what has been done so far.
    """

    households: int
    rates: dict[str, float]
    random: np.random.Generator
    dirt: Dirt = field(default_factory=Dirt)

    def rows(self, rate: float) -> Integers:
        """Distinct rows, as many as the rate says; at least one of them in a file that is not small."""
        count = max(round(rate * self.households), int(self.households >= ENOUGH_HOUSEHOLDS))
        return self.random.choice(self.households, min(count, self.households), replace=False)


def spoil_answers(columns: Columns, spoiler: Spoiler) -> None:
    """Blank cells, sentinels, implausible sizes and a stray character, in place."""
    blank_land, blank_business = (spoiler.rows(spoiler.rates[kind]) for kind in ("land_blank", "business_blank"))
    acres, radios, phones, stray = (spoiler.rows(RARE) for _ in range(4))
    columns["agricultural_land_acres"][acres] = MANY_ACRES
    columns["agricultural_land_acres"][blank_land] = np.nan
    columns["radios_owned"][radios] = MANY_RADIOS
    columns["phones_owned"][phones] = REFUSED_PHONES
    counts = columns["business_count"].astype(np.int64).astype(str)
    counts[blank_business] = ""
    counts[stray] = STRAY_CHARACTER
    columns["business_count"] = counts
    spoiler.dirt.blanks += len(blank_land) + int((counts == "").sum())
    spoiler.dirt.implausible += int((columns["agricultural_land_acres"] == MANY_ACRES).sum()) + len(radios)
    spoiler.dirt.sentinels += len(phones)
    spoiler.dirt.stray_characters += len(stray)


def spoil_identifiers(identifiers: Any, villages: Villages, spoiler: Spoiler) -> Any:
    """Mixed letter case, then identifiers that stand on two different households of one village."""
    careless = spoiler.rows(spoiler.rates["mixed_case"])
    spoiler.dirt.mixed_case += len(careless)
    source = np.arange(spoiler.households)
    ends = np.cumsum(villages.households)
    first = np.repeat(ends - villages.households, villages.households)
    chosen = spoiler.rows(spoiler.rates["collision"])
    chosen = chosen[(chosen > first[chosen]) & ~np.isin(chosen - 1, chosen)]
    source[chosen] = source[chosen - 1]
    spoiler.dirt.collisions += len(chosen)
    return write_carelessly(identifiers, careless).take(pa.array(source))


def resend(spoiler: Spoiler) -> Integers:
    """Order of rows in which some come a second time, somewhere after the first."""
    again = spoiler.rows(RESEND_RATE)
    later = again + 1 + spoiler.random.random(len(again)) * (spoiler.households - again)
    spoiler.dirt.resends += len(again)
    positions = np.concatenate([np.arange(spoiler.households, dtype=np.float64), later])
    return np.concatenate([np.arange(spoiler.households), again])[np.argsort(positions, kind="stable")]
