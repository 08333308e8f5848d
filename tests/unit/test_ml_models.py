"""The candidate pipelines on what surveys bring: blanks, empty columns, places never seen."""

import numpy as np
import pytest

from ml.evaluate import target_of
from ml.features import load_features
from ml.leakage import track_features
from ml.models import ALGORITHMS, Algorithm, one_thread
from ml.recipe import Recipe
from ml.tracks import TRACKS, Track
from tests.ml_rows import make_rows

ROWS = make_rows(households=120, villages=6)


def recipe(track: Track) -> Recipe:
    return Recipe(track, track_features(track, load_features()))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("track", TRACKS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_scores_a_household_of_a_district_never_seen_with_nothing_answered(algorithm: Algorithm, track: Track) -> None:
    known = ROWS.assign(business_count=np.nan, wall_material=np.nan).astype({"wall_material": "str"})
    with one_thread():
        pipeline = recipe(track).build(algorithm).fit(known, target_of(known))
    stranger = known.head(1).assign(district="Kitgum", head_sex="7")
    silent = known.head(1).assign(**dict.fromkeys(recipe(track).feature_names, np.nan))
    for household in (stranger, silent):
        probability = pipeline.predict_proba(household)[0, 1]
        assert 0.0 <= probability <= 1.0


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_training_twice_gives_the_same_probabilities(algorithm: Algorithm) -> None:
    with one_thread():
        first, second = (recipe("screening").build(algorithm).fit(ROWS, target_of(ROWS)) for _ in range(2))
    assert np.allclose(first.predict_proba(ROWS), second.predict_proba(ROWS), rtol=0, atol=1e-12)


def test_a_fingerprint_follows_the_answers_that_its_track_sees() -> None:
    screening, assessment = recipe("screening"), recipe("assessment")
    richer = ROWS.assign(rent_income=ROWS["rent_income"] + 1)
    assert screening.fingerprint(ROWS) == screening.fingerprint(ROWS.copy())
    assert screening.fingerprint(ROWS) == screening.fingerprint(richer)
    assert assessment.fingerprint(ROWS) != assessment.fingerprint(richer)
    assert screening.fingerprint(ROWS) != assessment.fingerprint(ROWS)
