"""The leak guard: no model of the screening track may see what its target is computed from."""

from ml.leakage.guard import LeakError, guard_against_leaks, refuse_too_good, track_features
from ml.leakage.lineage import Lineage, read_lineage

__all__ = ["LeakError", "Lineage", "guard_against_leaks", "read_lineage", "refuse_too_good", "track_features"]
