"""The leak guard: no model of the screening track may see what its target is computed from."""

from collections.abc import Iterable
from functools import cache

from ml.features import Feature
from ml.tracks import Track
from warehouse.contract import list_forms, load_contract
from warehouse.errors import TrainingError


class LeakError(TrainingError):
    """A feature of the screening track is a component of the target."""

    code = "ml.target_leak"


def track_features(track: Track, features: Iterable[Feature]) -> tuple[Feature, ...]:
    """The features that a track sees, once it is sure that none of them leaks.

    A feature leaks when the mart says that it is a component of the target, or when a form's contract says
    so of the field of that name. The assessment track may see components: it recomputes the target and says
    so.

    Raises:
        LeakError: the screening track would see a component of the target.
        TrainingError: the track sees nothing.
    """
    seen = tuple(feature for feature in features if track in feature.tracks)
    if not seen:
        raise TrainingError(f"The {track} track has no features.", remedy="Give it some in the feature mart's YAML.")
    if track == "screening":
        _refuse_components(seen)
    return seen


def _refuse_components(features: tuple[Feature, ...]) -> None:
    known = _contract_components()
    leaks = [feature.name for feature in features if feature.component_of_target or feature.name in known]
    if leaks:
        raise LeakError(
            f"The screening track would be trained on components of its target: {', '.join(leaks)}.",
            remedy="Take screening out of their tracks in the feature mart's YAML.",
            columns=leaks,
        )


@cache
def _contract_components() -> frozenset[str]:
    fields = [field for form in list_forms() for field in load_contract(form).fields]
    return frozenset(field.name for field in fields if field.component_of_target)
