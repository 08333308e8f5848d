"""Made-up manifests of dbt, for the tests that trace columns through SQL."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ml.leakage import Lineage

Columns = Mapping[str, Mapping[str, Any]]

COMPONENT = {"config": {"meta": {"component_of_target": True}}}
SURVEY: Columns = {
    **{name: {} for name in ("household_id", "village", "phones", "head_sex", "radios")},
    "income": COMPONENT,
    "rent": COMPONENT,
    "extras": {"data_type": "jsonb"},
}


def make_lineage(mart: str, models: Mapping[str, str] | None = None, survey: Columns = SURVEY) -> Lineage:
    """The lineage of a feature mart with the given SQL over `staging.<model>`, `raw.survey` and `ml.predictions`."""
    sources = [("raw", "survey", "household_survey", survey), ("ml", "predictions", "ml", {"probability": {}})]
    return Lineage(
        {
            "nodes": {
                "mart": _model("features", "fct_household_features", mart),
                **{name: _model("staging", name, text) for name, text in (models or {}).items()},
            },
            "sources": {name: _source(schema, name, of, columns) for schema, name, of, columns in sources},
        }
    )


def write_manifest(path: Path, names: Sequence[str]) -> Path:
    """Write the manifest of a feature mart whose columns are answers as they were given."""
    text = f"select {', '.join(names)} from raw.survey"
    source = _source("raw", "survey", "household_survey", {name: {} for name in names})
    nodes, sources = {"mart": _model("features", "fct_household_features", text)}, {"raw": source}
    for name, node in (nodes | sources).items():
        node["unique_id"] = name
    path.write_text(json.dumps({"nodes": nodes, "sources": sources, "macros": {}}))
    return path


def _model(schema: str, name: str, text: str) -> dict[str, Any]:
    return {
        "resource_type": "model",
        "relation_name": f'"kyalo"."{schema}"."{name}"',
        "schema": schema,
        "alias": name,
        "name": name,
        "original_file_path": f"models/{schema}/{name}.sql",
        "compiled_code": text,
        "columns": {},
    }


def _source(schema: str, name: str, source_name: str, columns: Columns) -> dict[str, Any]:
    return {
        "resource_type": "source",
        "relation_name": f'"kyalo"."{schema}"."{name}"',
        "schema": schema,
        "identifier": name,
        "name": name,
        "source_name": source_name,
        "columns": columns,
    }
