"""Made-up manifests of dbt, for the tests that trace columns through SQL."""

from collections.abc import Mapping
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
