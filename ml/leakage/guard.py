"""What stops a training: features that know the target."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache

import pandas as pd
from threadpoolctl import threadpool_limits

from ml.features import Feature
from ml.leakage.lineage import Lineage
from ml.leakage.rows import UntraceableError
from ml.leakage.signals import find_carriers, find_strong
from ml.splits import make_folds
from ml.tracks import Track
from warehouse.contract import list_forms, load_contract
from warehouse.errors import TrainingError

# Published models of non-monetary indicators, and this survey's own, reach an AUC of 0.75 to 0.85. One that
# comes near to certainty has been told the answer.
HIGHEST_AUC = 0.90


class LeakError(TrainingError):
    """A feature of the screening track knows the target."""

    code = "ml.target_leak"


def track_features(track: Track, features: Iterable[Feature]) -> tuple[Feature, ...]:
    """The features that a track sees, once it is sure that none of them is a component of the target by name.

    A feature is one when the mart says so, or when a form's contract says so of the field of that name. The
    assessment track may see components: it recomputes the target and says so.

    Raises:
        LeakError: the screening track would see a component of the target.
        TrainingError: the track sees nothing.
    """
    seen = tuple(feature for feature in features if track in feature.tracks)
    if not seen:
        raise TrainingError(f"The {track} track has no features.", remedy="Give it some in the feature mart's YAML.")
    if track == "screening":
        known = _contract_components()
        named = [feature.name for feature in seen if feature.component_of_target or feature.name in known]
        _refuse(dict.fromkeys(named, "a component of the target"))
    return seen


def guard_against_leaks(
    track: Track, features: Iterable[Feature], rows: pd.DataFrame, lineage: Callable[[], Lineage]
) -> None:
    """Make sure, before any fit, that no feature of the screening track knows the target.

    Neither by where it comes from, traced through the SQL of every model, nor by what it holds: no feature
    alone may tell the vulnerable households from the others, and the income may be no sum or product of features.
    Rows that are too few or too much alike to fold by village show nothing; no model is fitted on them either.

    Args:
        track: the assessment track may see components; nothing of it is looked at.
        features: those that the track sees.
        rows: labelled rows of the mart.
        lineage: tells where the mart's columns come from; it is asked for screening only.

    Raises:
        LeakError: a feature knows the target (ml.target_leak).
        TrainingError: nobody can tell where a feature comes from (ml.untraceable_feature, ml.no_lineage).
    """
    if track != "screening":
        return
    seen = tuple(features)
    _refuse(_find_ways(seen, lineage()))
    _refuse(_find_signs(seen, rows))


def refuse_too_good(auc: float, importance: Mapping[str, float]) -> None:
    """Make sure that a screening model is not better than non-monetary indicators can be.

    Args:
        auc: its area under the ROC curve, on villages that it did not see.
        importance: how much each feature moves its score.

    Raises:
        LeakError: it is too good to be true; the features that move it most are named (ml.target_leak).
    """
    if auc > HIGHEST_AUC:
        most = sorted(importance, key=lambda name: -importance[name])[:3]
        _refuse(dict.fromkeys(most, f"the whole model has an AUC of {auc:.2f}, and this moves it most"))


def _find_ways(features: Iterable[Feature], lineage: Lineage) -> dict[str, str]:
    leaks: dict[str, str] = {}
    lost: dict[str, str] = {}
    for feature in features:
        try:
            way = lineage.find_leak(feature.name)
        except UntraceableError as error:
            lost[feature.name] = str(error)
            continue
        if way:
            leaks[feature.name] = f"computed from the target: {' <- '.join(way)}"
    if lost and not leaks:
        raise TrainingError(
            f"Nobody can tell where the screening track's features come from: {_list(lost)}.",
            code="ml.untraceable_feature",
            remedy="Write them in SQL over columns of the contract, or take screening out of their tracks.",
            columns=list(lost),
        )
    return leaks


def _find_signs(features: Sequence[Feature], rows: pd.DataFrame) -> dict[str, str]:
    folds = make_folds("village", rows)
    if folds is None:
        return {}
    with threadpool_limits(limits=1):
        strong = find_strong(features, rows, folds)
        others = [feature for feature in features if feature.name not in strong]
        return strong | find_carriers(others, rows, folds)


def _refuse(reasons: Mapping[str, str]) -> None:
    if reasons:
        raise LeakError(
            f"The screening track would be trained on its own target: {_list(reasons)}.",
            remedy="Take screening out of their tracks in the feature mart's YAML.",
            columns=list(reasons),
        )


def _list(reasons: Mapping[str, str]) -> str:
    return "; ".join(f"{name} ({reason})" for name, reason in reasons.items())


@cache
def _contract_components() -> frozenset[str]:
    fields = [field for form in list_forms() for field in load_contract(form).fields]
    return frozenset(field.name for field in fields if field.component_of_target)
