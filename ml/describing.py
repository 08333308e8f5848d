"""What is written down of a trained model: where it comes from, what it is worth, and its report."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ml.artifacts import write_document
from ml.candidates import Trained
from ml.evaluation import Evaluation, SegmentKind
from ml.features import INCOME, KEYS, TARGET
from ml.points import fit_points_table
from ml.registry import Draft
from ml.report import ModelFacts, write_report
from ml.selection import RULE
from ml.splits import SEED, SPLITS, Split
from ml.tracks import Track
from ml.watching.reference import make_reference

MEANING: dict[Track, str] = {
    "screening": "A prediction from non-monetary indicators.",
    "assessment": "Arithmetic, no prediction: the target is a sum of what this track sees.",
}


def describe(trained: Trained, run_id: str, made_by: str, origin: Mapping[str, Any]) -> Draft:
    """What is registered of a trained model."""
    recipe, rows, evaluation = trained.recipe, trained.rows, trained.evaluation
    points = fit_points_table(rows, recipe.features) if recipe.track == "screening" else None
    metadata = {
        **origin,
        "meaning": MEANING[recipe.track],
        "rule": RULE,
        "seed": SEED,
        "settings": dict(trained.fitted.settings),
        "parity": trained.parity,
        "training_rows": len(rows),
        "training_rows_sha256": recipe.hash_rows(rows),
        "importance": trained.model.importance(trained.matrix),
        "points_table": points.to_dict() if points else None,
    }
    names = list(dict.fromkeys([*KEYS, TARGET, INCOME, "head_sex", *recipe.feature_names]))
    village = trained.judged["village"]

    def report(version: int) -> str:
        facts = ModelFacts(
            track=recipe.track,
            name=f"vulnerability_{recipe.track}",
            version=version,
            algorithm=trained.algorithm.replace("_", " "),
            meaning=MEANING[recipe.track],
            trained_at=f"{datetime.now(UTC):%d %B %Y %H:%M} UTC",
            provenance=_provenance(metadata, made_by),
        )
        return write_report(facts, evaluation, rows, village, importance=metadata["importance"], points_table=points)

    return Draft(
        track=recipe.track,
        algorithm=trained.algorithm,
        feature_names=recipe.feature_names,
        training_fingerprint=recipe.fingerprint(rows),
        feature_set_version=made_by,
        document=write_document(trained.model),
        artifact_kind="terms",
        metrics=summarise(evaluation),
        metadata=metadata,
        evaluation=evaluation,
        reference=make_reference(recipe.features, rows, village.probability),
        rows=rows[names].assign(
            probability=village.probability,
            probability_below_125=village.below_125,
            probability_below_215=village.below_215,
        ),
        report=report,
        run_id=run_id,
    )


def _provenance(metadata: Mapping[str, Any], made_by: str) -> dict[str, str]:
    plain = (
        "git_revision",
        "dbt_project_sha256",
        "training_rows",
        "training_rows_sha256",
        "seed",
        "settings",
        "python",
    )
    libraries = ", ".join(f"{name} {version}" for name, version in metadata["libraries"].items())
    told = {name.replace("_", " "): str(metadata[name]) for name in plain}
    return told | {"feature set version": made_by, "libraries": libraries, "rule of choice": metadata["rule"]}


def summarise(evaluation: Evaluation) -> dict[str, Any]:
    """The measures as plain JSON: village folds first, by district, then a new district and the other candidates."""
    return {
        "overall": _values(evaluation, "all", "all"),
        "by_district": {name: _values(evaluation, "district", name) for name in evaluation.segments("district")},
        "new_district": _values(evaluation, "all", "all", "district") or None,
        "splits": {split: _values(evaluation, "all", "all", split) for split in SPLITS},
        "candidates": {name: _values(evaluation, "candidate", name) for name in evaluation.segments("candidate")},
        "baselines": {name: _values(evaluation, "baseline", name) for name in evaluation.segments("baseline")},
    }


def _values(
    evaluation: Evaluation, kind: SegmentKind, segment: str, split: Split = "village"
) -> dict[str, float | None]:
    return {
        measure.metric: measure.value
        for measure in evaluation.measures
        if (measure.split, measure.segment_kind, measure.segment) == (split, kind, segment)
    }
