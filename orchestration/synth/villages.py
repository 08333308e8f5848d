"""Where the households live: villages of about 25 households, nested in clusters, nested in districts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestration.synth.parameters import District, Parameters

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Villages:
    """One entry for each village.

    Attributes:
        district: position of its district among those drawn from.
        cluster: number of its cluster, 1 and up.
        number: its own number, 1 and up.
        households: how many households live there.
    """

    district: Integers
    cluster: Integers
    number: Integers
    households: Integers

    def __len__(self) -> int:
        """How many villages."""
        return len(self.number)

    def part(self, first: int, end: int) -> "Villages":
        """The villages from position `first` up to `end`."""
        here = slice(first, end)
        return Villages(self.district[here], self.cluster[here], self.number[here], self.households[here])


def plan_villages(
    parameters: Parameters,
    districts: tuple[District, ...],
    households: int,
    random: np.random.Generator,
) -> Villages:
    """Spread exactly `households` over villages, districts by their weight, in random order of villages."""
    count = max(1, round(households / parameters.village_size[0]))
    weights = np.cumsum([district.weight for district in districts])
    district = np.searchsorted(weights / weights[-1], (np.arange(count) + 0.5) / count)
    cluster = _clusters(district, parameters.villages_per_cluster)
    names = random.permutation(cluster[-1] + 1) + 1
    order = random.permutation(count)
    return Villages(
        district[order],
        names[cluster[order]],
        np.arange(1, count + 1),
        _sizes(parameters, count, households, random),
    )


def _clusters(district: Integers, villages_per_cluster: float) -> Integers:
    """Number the clusters from 0, as even as they go, none across districts; `district` is sorted."""
    cluster = np.zeros_like(district)
    first = 0
    for here in np.unique(district):
        members = np.flatnonzero(district == here)
        clusters = max(1, round(len(members) / villages_per_cluster))
        cluster[members] = first + np.arange(len(members)) * clusters // len(members)
        first += clusters
    return cluster


def _sizes(parameters: Parameters, count: int, households: int, random: np.random.Generator) -> Integers:
    mean, deviation, smallest, largest = parameters.village_size
    wished = np.clip(random.normal(mean, deviation, count), smallest, largest)
    ends = np.rint(np.cumsum(wished) * (households / wished.sum())).astype(np.int64)
    return np.asarray(np.diff(ends, prepend=0), dtype=np.int64)
