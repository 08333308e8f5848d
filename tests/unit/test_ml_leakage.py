"""The leak guard."""

from dataclasses import replace

import pytest

from ml.features import Feature, load_features
from ml.leakage import LeakError, track_features
from warehouse.errors import Terminal, TrainingError

HARMLESS = Feature("phones_owned", "numeric", ("screening", "assessment"), component_of_target=False)
COMPONENTS = [feature for feature in load_features() if feature.component_of_target]


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda feature: feature.name)
def test_names_every_component_that_the_screening_would_see(component: Feature) -> None:
    planted = replace(component, tracks=("screening", "assessment"))
    with pytest.raises(LeakError, match=component.name) as caught:
        track_features("screening", [HARMLESS, planted])
    assert caught.value.facts["columns"] == [component.name]
    assert isinstance(caught.value, Terminal)


def test_believes_the_contract_where_the_mart_forgot_to_say_so() -> None:
    forgotten = Feature("household_income", "numeric", ("screening",), component_of_target=False)
    with pytest.raises(LeakError, match="household_income"):
        track_features("screening", [HARMLESS, forgotten])


def test_lets_the_assessment_see_components() -> None:
    assert COMPONENTS[0] in track_features("assessment", load_features())


def test_refuses_a_track_that_sees_nothing() -> None:
    with pytest.raises(TrainingError, match="no features"):
        track_features("screening", [replace(HARMLESS, tracks=("assessment",))])
