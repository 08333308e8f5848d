"""Scoring of what the champions have not scored yet, within a run and outside of one."""

from ml.score import ScoreSummary, score
from orchestration.context import Warehouse, acting_as
from orchestration.graph.lock import holding_pipeline
from warehouse.grants import SCORER


def score_households(warehouse: Warehouse, *, with_challengers: bool) -> str:
    """Score the feature mart outside a run, and say what came of it."""
    with holding_pipeline(warehouse.database, "kyalo score"), acting_as(warehouse, SCORER) as scorer:
        summary = score(scorer.database, scorer.store, run_id="manual", with_challengers=with_challengers)
        return describe_scores(summary)


def describe_scores(summary: ScoreSummary) -> str:
    """What scoring did, in a few words."""
    return "; ".join(
        f"{track.track}: {track.scored:,} scored, {track.inserted:,} new, {track.updated:,} changed"
        for track in summary.tracks
    )
