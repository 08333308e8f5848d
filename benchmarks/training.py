"""What the models of a survey file are worth: both tracks on four splits, with intervals; prints Markdown tables."""

import argparse
import time
from pathlib import Path

from benchmarks.scratch import Row, print_table, scratch_folder, scratch_warehouse
from ml.promotion.scores import read_evaluation
from ml.splits import SPLITS
from ml.tracks import TRACKS
from orchestration.building import build
from orchestration.loading import load_file
from orchestration.sample import SAMPLE
from orchestration.training import train_models

GOALS = {
    ("assessment", "village", "accuracy"): "0.985",
    ("assessment", "village", "f1"): "0.98",
    ("screening", "village", "auc"): "0.79",
    ("screening", "village", "calibration_error"): "0.02",
    ("screening", "district", "auc"): "0.72",
}
METRICS = ("auc", "accuracy", "f1", "calibration_error", "calibration_error_by_chance", "exclusion_error")


def measure(surveys: Path) -> list[Row]:
    """The rows of the table."""
    with scratch_folder() as folder, scratch_warehouse(folder / "home") as warehouse:
        load_file(warehouse, surveys, "household_survey")
        build(warehouse)
        started = time.perf_counter()
        outcomes = train_models(warehouse, TRACKS, "benchmark")
        rows: list[Row] = [("training of both tracks", f"{time.perf_counter() - started:.1f} s", "-")]
        with warehouse.database.transaction() as connection:
            found = [
                (outcome.training.model, read_evaluation(connection, outcome.training.model)) for outcome in outcomes
            ]
    for model, evaluation in found:
        for split in SPLITS:
            for metric in METRICS:
                if (measured := evaluation.find(metric, split)) and measured.value is not None:
                    bounds = f"{measured.value:.3f} ({measured.lower_bound:.3f} to {measured.upper_bound:.3f})"
                    goal = GOALS.get((model.track, split, metric), "-")
                    rows.append((f"{model.track}, {model.algorithm}, {split} folds: {metric}", bounds, goal))
    return rows


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--surveys", type=Path, default=SAMPLE)
    print_table(measure(parser.parse_args().surveys))


if __name__ == "__main__":
    main()
