"""`python -m orchestration.synth.fit FILE` measures an export and writes `parameters.json` anew."""

import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer

from orchestration.synth.association import normal_scores, village_and_household_covariance
from orchestration.synth.calibration import calibrate
from orchestration.synth.catalogue import POVERTY_LINE, TOTAL, VARIABLES
from orchestration.synth.distributions import Floats
from orchestration.synth.lines import fit_lines
from orchestration.synth.margins import SMALLEST_LEVEL, fit_margins
from orchestration.synth.observe import observe, read_export
from orchestration.synth.outlook import CIRCUMSTANCES, circumstances
from orchestration.synth.parameters import PARAMETERS_FILE, Line

_ROOTS = pd.Series({variable.name: variable.parent is None for variable in VARIABLES if variable.name in CIRCUMSTANCES})
"""Variables that every household has: a missing answer is replaced by the median, not by zero."""


def fit_parameters(frame: pd.DataFrame) -> dict[str, Any]:
    """Everything the generator needs to know of an export, as plain JSON values."""
    observed = observe(frame)
    lines, unexplained = _outlook(observed, frame["district"])
    scores = normal_scores(observed.assign(**{TOTAL: unexplained}), frame["district"])
    between, within = village_and_household_covariance(scores, frame["village"])
    sizes = frame.groupby("village").size()
    clusters = frame["cluster"].nunique()
    measured = {
        "districts": frame["district"].value_counts(normalize=True).sort_index().round(3).to_dict(),
        "village_size": [
            round(float(sizes.mean()), 1),
            round(float(sizes.std()), 1),
            int(sizes.quantile(0.02)),
            int(sizes.quantile(0.98)),
        ],
        "villages_per_cluster": round(len(sizes) / clusters, 1),
        "codes": {name: _codes(frame[name]) for name in ("loan_sources", "banana_diseases")},
        "rates": _rates(frame),
        "margins": fit_margins(observed, frame["district"]),
        "outlook": lines,
        "between": between.round(3).tolist(),
        "within": within.round(3).tolist(),
    }
    return calibrate(measured)


def _outlook(observed: pd.DataFrame, districts: "pd.Series[str]") -> tuple[dict[str, Any], Floats]:
    """The stored line of every district, and what each household's total is above or below its line."""
    scores = normal_scores(observed[[TOTAL]], districts).values[:, 0]
    filled = observed[list(CIRCUMSTANCES)].fillna(observed[list(CIRCUMSTANCES)].median().where(_ROOTS, 0.0))
    seen = circumstances({name: filled[name].to_numpy(float) for name in CIRCUMSTANCES})
    members = pd.get_dummies(districts).sort_index(axis=1)
    lines = fit_lines(seen, (observed[TOTAL] < POVERTY_LINE).to_numpy().astype(np.float64), members.to_numpy(float))
    heights = np.column_stack([line.intercept + seen @ line.slopes for line in lines])
    stored = {name: _stored_line(line) for name, line in zip(members.columns, lines, strict=True)}
    return stored, scores - (heights * members.to_numpy(float)).sum(axis=1)


def _stored_line(line: Line) -> dict[str, Any]:
    return {"intercept": line.intercept, "slopes": line.slopes.tolist(), "spread": line.spread}


def _codes(answers: "pd.Series[str]") -> dict[str, float]:
    counts = answers[answers != ""].value_counts()
    kept = counts[counts >= min(SMALLEST_LEVEL, int(counts.max()))]
    return {str(code): round(float(share), 3) for code, share in (kept / kept.sum()).items()}


def _rates(frame: pd.DataFrame) -> dict[str, float]:
    identifiers = frame["household_id"]
    resends = frame.duplicated()
    again = identifiers.str.upper().duplicated() & ~resends
    rates = {
        "collision": again.mean(),
        "mixed_case": (identifiers != identifiers.str.upper()).mean(),
        "land_blank": frame["agricultural_land_acres"].isna().mean(),
        "business_blank": frame["business_count"].isna().mean(),
    }
    return {name: round(float(rate), 4) for name, rate in rates.items()}


def dump_parameters(parameters: dict[str, Any]) -> str:
    """JSON with one line for each variable and each row of a matrix, so that a change can be read."""
    sections = [f"{json.dumps(name)}: {_section(value)}" for name, value in parameters.items()]
    return "{\n" + ",\n".join(sections) + "\n}\n"


def _section(value: Any) -> str:
    if isinstance(value, dict):
        lines = [f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in value.items()]
        return "{\n" + ",\n".join(lines) + "\n}"
    if isinstance(value, list) and isinstance(value[0], list):
        return "[\n" + ",\n".join(f"  {json.dumps(row)}" for row in value) + "\n]"
    return json.dumps(value)


def main(
    file: Annotated[Path, typer.Argument(help="Export to measure.", exists=True, dir_okay=False)],
    output: Annotated[Path, typer.Option(help="Where to write.")] = PARAMETERS_FILE,
) -> None:
    """Measure an export and write the generator's parameters."""
    output.write_text(dump_parameters(fit_parameters(read_export(file))), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
