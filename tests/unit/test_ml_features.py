"""The mart's definition, as `ml` reads it."""

from pathlib import Path

import pytest

from ml.features import load_features
from ml.leakage import track_features
from ml.tracks import TRACKS
from warehouse.errors import ContractError


def test_the_assessment_sees_all_that_the_screening_sees() -> None:
    screening, assessment = (set(track_features(track, load_features())) for track in TRACKS)
    assert screening < assessment
    assert len(screening) == 51


def test_no_target_is_a_feature() -> None:
    names = {feature.name for feature in load_features()}
    assert not names & {"is_vulnerable", "progress_status", "income_consumption_residues_per_day", "village"}


@pytest.mark.parametrize(
    "definition",
    [
        "models: []",
        "models: [{name: mart}]",
        "models: [{columns: [{name: a, config: {meta: {tracks: [screening], kind: colour}}}]}]",
        "models: [{columns: [{name: a, config: {meta: {tracks: [guessing], kind: numeric}}}]}]",
        "models: [",
    ],
)
def test_refuses_a_definition_that_it_cannot_read(tmp_path: Path, definition: str) -> None:
    mart_file = tmp_path / "mart.yml"
    mart_file.write_text(definition)
    with pytest.raises(ContractError) as caught:
        load_features(mart_file)
    assert caught.value.error_code == "ml.bad_feature_mart"


def test_refuses_a_missing_definition(tmp_path: Path) -> None:
    with pytest.raises(ContractError):
        load_features(tmp_path / "mart.yml")
