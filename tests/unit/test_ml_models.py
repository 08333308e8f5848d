"""The candidate pipelines and the plain numbers that become of them, on blanks and on places never seen."""

from dataclasses import replace

import numpy as np
import orjson
import pytest

from ml.artifacts import read_document, write_document
from ml.candidates import compile_model
from ml.compiling import compile_score, read_encoding
from ml.evaluation import Judged
from ml.features import load_features
from ml.fitting import fit_calibrated
from ml.leakage import track_features
from ml.model import Model
from ml.models import ALGORITHMS, GRIDS, Algorithm, fit, raw_score, staged_scores
from ml.recipe import Recipe
from ml.rows import as_records
from ml.threads import one_thread
from ml.tracks import TRACKS, Track
from tests.ml_rows import make_rows

ROWS = make_rows(households=120, villages=6)
EXACT = {"rtol": 0, "atol": 1e-9}


def recipe(track: Track) -> Recipe:
    return Recipe.of(track, track_features(track, load_features()))


def candidates() -> list[tuple[Track, Algorithm]]:
    return [(track, algorithm) for track in TRACKS for algorithm in GRIDS[track]]


@pytest.mark.parametrize(("track", "algorithm"), candidates())
def test_plain_numbers_score_as_the_pipeline_that_they_were_read_from(track: Track, algorithm: Algorithm) -> None:
    seen = recipe(track)
    known = ROWS.assign(business_count=np.nan, wall_material=np.nan).astype({"wall_material": "str"})
    known.loc[known.index[::7], ["phones_owned", "head_literate"]] = np.nan
    with one_thread():
        pipeline = fit(seen.build(algorithm, seen.grid(algorithm)[0]), known)
    encoding = read_encoding(pipeline, seen.feature_names)
    score = compile_score(pipeline, encoding)
    stranger = known.head(20).assign(district="Kitgum", head_sex="7")
    silent = known.head(20).assign(**dict.fromkeys(seen.feature_names, np.nan))
    for households in (known, stranger, silent, known.head(3)):
        wide = encoding.widen(encoding.encode(as_records(households, seen.feature_names)))
        told, by_feature = score.contributions(wide)
        np.testing.assert_allclose(told, raw_score(pipeline, households), **EXACT)
        distance = told - by_feature.sum(axis=0)
        np.testing.assert_allclose(distance, distance[0], **EXACT)


@pytest.fixture(scope="module")
def models() -> dict[Algorithm, Model]:
    """A screening model of each algorithm."""
    seen = recipe("screening")
    judged = Judged("village", np.linspace(0.01, 0.99, len(ROWS)))
    with one_thread():
        return {name: compile_model(seen, fit_calibrated(seen, name, ROWS), ROWS, judged) for name in seen.grids}


def make_strange(model: Model, random: np.random.Generator) -> dict[str, object]:
    """A household whose answers are anything."""
    words = [None, "1", "2", "small", "Kanungu", "", "missing", "Nowhere"]
    numbers = [None, True, False, 0, -1, 3.5, 1e300, -1e300, float("nan"), float("inf"), 10**9]
    return {
        name: (words if name in model.categories else numbers)[random.integers(0, 8)] for name in model.feature_names
    }


def test_a_boosting_passes_through_the_scores_of_shorter_ones() -> None:
    seen = recipe("screening")
    longest, shorter = seen.grid("gradient_boosting")
    with one_thread():
        stages = staged_scores(fit(seen.build("gradient_boosting", longest), ROWS), ROWS)
        alone = raw_score(fit(seen.build("gradient_boosting", shorter), ROWS), ROWS)
    assert len(stages) == longest["max_iter"]
    np.testing.assert_allclose(stages[shorter["max_iter"] - 1], alone, atol=1e-9)


@pytest.mark.parametrize("algorithm", GRIDS["screening"])
def test_any_answers_get_ordered_probabilities_alone_or_among_others(
    models: dict[Algorithm, Model], algorithm: Algorithm
) -> None:
    model, random = models[algorithm], np.random.default_rng(5)
    matrix = model.encode([make_strange(model, random) for _ in range(200)])
    among = model.predict(matrix)
    assert (among.probability_below_125 >= 0).all()
    assert (among.probability_below_125 <= among.probability).all()
    assert (among.probability <= among.probability_below_215).all()
    assert (among.probability_below_215 <= 1).all()
    for row in range(len(matrix)):
        alone = model.predict(matrix[row : row + 1])
        assert abs(alone.probability[0] - among.probability[row]) <= 1e-9
        assert alone.reason_features[0].tolist() == among.reason_features[row].tolist()


def test_a_document_holds_the_whole_model(models: dict[Algorithm, Model]) -> None:
    for model in models.values():
        document = write_document(model)
        assert b"null" not in document
        read = read_document(document)
        matrix = model.encode(as_records(ROWS, model.feature_names))
        for name, values in vars(model.predict(matrix)).items():
            np.testing.assert_array_equal(values, getattr(read.predict(matrix), name))
        assert orjson.loads(write_document(read)) == orjson.loads(document)


def test_what_is_no_plain_table_is_not_written(models: dict[Algorithm, Model]) -> None:
    with pytest.raises(TypeError, match="cannot be stored"):
        write_document(replace(models["logistic_regression"], score=object()))  # type: ignore[arg-type]


@pytest.mark.parametrize("algorithm", [name for name in ALGORITHMS if name != "linear_regression"])
def test_training_twice_gives_the_same_model(algorithm: Algorithm, models: dict[Algorithm, Model]) -> None:
    seen = recipe("screening")
    with one_thread():
        again = compile_model(
            seen, fit_calibrated(seen, algorithm, ROWS), ROWS, Judged("village", np.linspace(0.01, 0.99, len(ROWS)))
        )
    assert write_document(again) == write_document(models[algorithm])


def test_a_fingerprint_follows_the_answers_that_its_track_sees() -> None:
    screening, assessment = recipe("screening"), recipe("assessment")
    richer = ROWS.assign(rent_income=ROWS["rent_income"] + 1)
    assert screening.fingerprint(ROWS) == screening.fingerprint(ROWS.copy())
    assert screening.fingerprint(ROWS) == screening.fingerprint(richer)
    assert assessment.fingerprint(ROWS) != assessment.fingerprint(richer)
    assert screening.fingerprint(ROWS) != assessment.fingerprint(ROWS)
