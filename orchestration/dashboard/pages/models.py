"""What the models are worth: champions, splits, calibration, drift, events."""

from fastapi import APIRouter, Request, Response

from orchestration.alerts.limits import LEAST
from orchestration.dashboard.access import HOME, Read
from orchestration.dashboard.figures import calibration_by_group, drift_of, performance_over_time, scores_by_split
from orchestration.dashboard.reading import Reading, Row
from orchestration.dashboard.rendering import render

SPLITS = {
    "random": "neighbours known",
    "village": "new village",
    "cluster": "new cluster",
    "district": "new district",
}
METRICS = [
    "accuracy", "auc", "base_rate", "calibration_gap", "calibration_error", "calibration_error_by_chance",
    "exclusion_error", "inclusion_error", "n",
]  # fmt: skip
SEXES = {"1": "headed by a man", "2": "headed by a woman"}
router = APIRouter()


@router.get(f"{HOME}/models")
def show_models(request: Request, read: Read) -> Response:
    """Every champion with its scores, and what became of the models."""
    return render(
        request,
        "models",
        champions=[_describe(read, model) for model in read.rows("champions")],
        splits=SPLITS,
        events=read.rows("model_events"),
        policy=read.row("policy"),
    )


def _describe(read: Reading, model: Row) -> Row:
    name = {"model_name": model["model_name"], "model_version": model["model_version"]}
    rows = read.rows("evaluations", **name, metrics=METRICS)
    overall = {(row["split"], row["metric"]): row for row in rows if row["segment_kind"] == "all"}
    accuracies = {split: row for (split, metric), row in overall.items() if metric == "accuracy"}
    drift, checks = read.rows("drift", **name), read.rows("performance", **name)
    is_enough = bool(drift) and drift[0]["households"] >= LEAST["least_batch"]
    is_screening = model["track"] == "screening"
    return {
        **model,
        "overall": overall,
        "baselines": [row for row in rows if row["segment_kind"] == "baseline" and row["metric"] == "accuracy"],
        "by_split": scores_by_split(accuracies, SPLITS) if is_screening else None,
        "calibration": calibration_by_group(_gaps(rows)) if is_screening else None,
        "drift": drift,
        "drift_figure": drift_of(drift, model["track"]) if is_enough else None,
        "checks": checks,
        "performance_figure": performance_over_time(checks, model["track"]) if len(checks) > 1 else None,
    }


def _gaps(rows: list[Row]) -> dict[str, Row]:
    """Calibration gaps on new villages: of all households, of each district, of each sex of the head."""
    found = [row for row in rows if row["split"] == "village" and row["metric"] == "calibration_gap"]
    overall = [row for row in found if row["segment_kind"] == "all"]
    districts = sorted((row for row in found if row["segment_kind"] == "district"), key=lambda row: row["segment"])
    gaps = dict(zip(["all households"], overall, strict=False)) | {row["segment"]: row for row in districts}
    return gaps | {
        SEXES[row["segment"]]: row for row in found if row["segment_kind"] == "head_sex" and row["segment"] in SEXES
    }
