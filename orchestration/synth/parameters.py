"""What the generator knows of real surveys: statistics over many households, read from `parameters.json`."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from orchestration.synth.catalogue import TOTAL, VARIABLES
from orchestration.synth.distributions import (
    QUANTILE_LEVELS,
    Amount,
    Floats,
    Margin,
    Ordinal,
    Share,
    given_parent,
    normal_quantile,
)

PARAMETERS_FILE = Path(__file__).with_name("parameters.json")


@dataclass(frozen=True)
class Line:
    """How the normal behind the yearly total follows from a household's circumstances."""

    intercept: float
    slopes: Floats
    spread: float


@dataclass(frozen=True)
class District:
    """A district.

    Attributes:
        name: as the export writes it.
        weight: its part of all households.
        margins: how every variable is distributed there.
        total: how the yearly total is distributed there.
        outlook: how the total follows from a household's circumstances.
    """

    name: str
    weight: float
    margins: dict[str, Margin]
    total: Amount
    outlook: Line


@dataclass(frozen=True)
class Parameters:
    """Everything measured.

    Attributes:
        districts: the districts measured, in order of name.
        village_size: mean, standard deviation, smallest and largest number of households in a village.
        villages_per_cluster: mean number of villages in a cluster.
        between: factor of the covariance of the normals that a village shares, variables x variables.
        within: factor of the covariance that is a household's own.
        codes: for each multiple-choice column the answers given and how often, among those who answered.
        rates: how often each kind of dirt occurs, per row.
    """

    districts: tuple[District, ...]
    village_size: tuple[float, float, int, int]
    villages_per_cluster: float
    between: Floats
    within: Floats
    codes: dict[str, dict[str, float]]
    rates: dict[str, float]


def symmetric_root(covariance: Floats) -> Floats:
    """The symmetric square root of a covariance; unlike eigenvectors it does not depend on the machine."""
    values, vectors = np.linalg.eigh(covariance)
    root: Floats = (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T
    return root


def _ordinal(stored: dict[str, Any], district: str) -> Ordinal:
    return Ordinal(np.array(stored["levels"], float), normal_quantile(np.array(stored["below"][district])))


def _amount(stored: dict[str, Any], district: str, step: int) -> Amount:
    zero = stored[district]["zero"]
    knots = normal_quantile(zero + (1.0 - zero) * np.array(QUANTILE_LEVELS))
    positive_from = float(normal_quantile(np.array([zero]))[0])
    return Amount(positive_from, knots, np.array(stored[district]["logarithms"]), step)


def _share(stored: dict[str, Any], district: str) -> Share:
    return Share(normal_quantile(np.array(QUANTILE_LEVELS)), np.array(stored["quantiles"][district]))


def _district(stored: dict[str, Any], name: str, correlation: Floats) -> District:
    margins = _margins(stored["margins"], name, correlation)
    total = next(variable for variable in VARIABLES if variable.name == TOTAL)
    line = stored["outlook"][name]
    return District(
        name=name,
        weight=stored["districts"][name],
        margins=margins,
        total=_amount(stored["margins"][TOTAL], name, total.step),
        outlook=Line(line["intercept"], np.array(line["slopes"]), line["spread"]),
    )


def _margins(stored: dict[str, Any], district: str, correlation: Floats) -> dict[str, Margin]:
    """Every variable's distribution in a district; `correlation` of the normals, variables x variables."""
    margins = _separate_margins(stored, district)
    position = {variable.name: column for column, variable in enumerate(VARIABLES)}
    conditional = {
        variable.name: given_parent(
            margins[variable.name],
            float(correlation[position[variable.name], position[variable.parent]]),
            margins[variable.parent],
        )
        for variable in VARIABLES
        if variable.parent is not None
    }
    return margins | conditional


def _separate_margins(stored: dict[str, Any], district: str) -> dict[str, Margin]:
    margins: dict[str, Margin] = {}
    for variable in VARIABLES:
        entry = stored[variable.name]
        if variable.kind == "ordinal":
            margins[variable.name] = _ordinal(entry, district)
        elif variable.kind == "amount":
            margins[variable.name] = _amount(entry, district, variable.step)
        else:
            margins[variable.name] = _share(entry, district)
    return margins


@cache
def load_parameters(path: Path = PARAMETERS_FILE) -> Parameters:
    """Read a parameters file, the bundled one when none is named."""
    return parse_parameters(json.loads(path.read_text(encoding="utf-8")))


def parse_parameters(stored: dict[str, Any]) -> Parameters:
    """The parameters from their stored form."""
    mean, deviation, smallest, largest = stored["village_size"]
    between, within = np.array(stored["between"]), np.array(stored["within"])
    districts = tuple(_district(stored, name, between + within) for name in stored["districts"])
    return Parameters(
        districts=districts,
        village_size=(mean, deviation, smallest, largest),
        villages_per_cluster=stored["villages_per_cluster"],
        between=symmetric_root(between),
        within=symmetric_root(within),
        codes=stored["codes"],
        rates=stored["rates"],
    )
