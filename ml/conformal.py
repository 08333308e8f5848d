"""Verdicts that say when they do not know: class-conditional conformal sets."""

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ml.risk import NOT_VULNERABLE, UNDECIDED, VULNERABLE
from ml.splits import FOLDS, Integers

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

COVERAGE = 0.90


@dataclass(frozen=True)
class Conformal:
    """Where a probability rules a class out.

    Of the vulnerable households the share `coverage` has a probability of at least `vulnerable_from`; of the others
    that share has one of at most `not_vulnerable_to` (Vovk and others, 2005, for each class by itself). A household
    that may be either, or neither, is undecided.
    """

    coverage: float
    vulnerable_from: float
    not_vulnerable_to: float

    def possible(self, probability: Floats) -> tuple[Flags, Flags]:
        """For each household, whether it may be vulnerable, and whether it may not be."""
        return probability >= self.vulnerable_from, probability <= self.not_vulnerable_to

    def verdicts(self, probability: Floats) -> NDArray[np.int8]:
        """The place in VERDICTS of each household."""
        may_be, may_not_be = self.possible(probability)
        found = np.full(len(probability), UNDECIDED, dtype=np.int8)
        found[may_be & ~may_not_be] = VULNERABLE
        found[may_not_be & ~may_be] = NOT_VULNERABLE
        return found

    def to_dict(self) -> dict[str, Any]:
        """The numbers, as plain JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        return cls(**document)


def conform(probability: Floats, is_vulnerable: Flags, coverage: float = COVERAGE) -> Conformal:
    """Fit the bounds to calibrated out-of-fold probabilities of households whose class is known."""
    return Conformal(
        coverage=coverage,
        vulnerable_from=1 - _reach(1 - probability[is_vulnerable], coverage),
        not_vulnerable_to=_reach(probability[~is_vulnerable], coverage),
    )


def possible_classes(probability: Floats, is_vulnerable: Flags, villages: Integers) -> tuple[Flags, Flags]:
    """What bounds fitted to households of other villages say of each household: as `Conformal.possible`.

    Args:
        probability: calibrated and out of fold.
        is_vulnerable: the true class.
        villages: number of each household's village; every fifth one is judged by the others.
    """
    may_be, may_not_be = np.empty(len(probability), dtype=np.bool_), np.empty(len(probability), dtype=np.bool_)
    for fold in range(FOLDS):
        is_new = villages % FOLDS == fold
        fitted = conform(probability[~is_new], is_vulnerable[~is_new])
        may_be[is_new], may_not_be[is_new] = fitted.possible(probability[is_new])
    return may_be, may_not_be


def _reach(strangeness: Floats, coverage: float) -> float:
    """The value that covers the next household of a class with the wanted probability; 1 where few are known."""
    count = len(strangeness)
    rank = int(np.ceil((count + 1) * coverage))
    return float(np.sort(strangeness)[rank - 1]) if rank <= count else 1.0
