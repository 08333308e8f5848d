"""How far batches of villages stray from a model's training rows by chance alone.

Villages are drawn with replacement, twice for each draw: once as many as there are, in the place of the training
rows, and once as many as make a batch. So the limits know that the households of a village are alike, that the
training rows are a sample themselves, and how many features are looked at.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

DRAWS = 2_000
# The share that counts for an empty bin: a household in ten thousand.
LEAST_SHARE = 0.0001
# Chance that any of a model's features seems to have drifted in a batch of villages like those of its training.
FALSE_ALARMS = 0.005
# A smaller index is no drift, however large the batch.
LEAST_INDEX = 0.02
# Ends of a 95 % interval.
TAILS = (0.025, 0.975)


def stability_index(expected: Floats, seen: Floats) -> Floats:
    """The population stability index of shares, along the last axis.

    An empty bin counts as a household in ten thousand, so that the index stays finite.
    """
    expected, seen = np.maximum(expected, LEAST_SHARE), np.maximum(seen, LEAST_SHARE)
    return np.asarray(((seen - expected) * np.log(seen / expected)).sum(axis=-1))


@dataclass(frozen=True)
class Draws:
    """Villages drawn anew, in the place of the training rows and as a batch: draws x villages, how often each."""

    training: Floats
    batch: Floats

    def indices(self, counts: Floats) -> Floats:
        """The index of each draw's batch against its training rows, of one feature.

        Args:
            counts: villages x bins, how many of its households are in each bin.
        """
        expected, seen = self.training @ counts, self.batch @ counts
        return stability_index(expected / expected.sum(axis=1, keepdims=True), seen / seen.sum(axis=1, keepdims=True))

    def differences(self, sums: Floats, households: Floats) -> Floats:
        """The mean of each draw's batch less that of its training rows.

        Args:
            sums: of the values of each village's households.
            households: how many each village has.
        """
        expected, seen = ((weights @ sums) / (weights @ households) for weights in (self.training, self.batch))
        return np.asarray(seen - expected)


def draw(households: Floats, batch_size: int, seed: int) -> Draws:
    """Draw villages of so many households each; a batch has as many villages as usually make its size."""
    count = len(households)
    random, chances = np.random.default_rng(seed), np.full(count, 1 / count)
    in_batch = max(1, round(batch_size / float(households.mean())))
    training, batch = (random.multinomial(size, chances, size=DRAWS).astype(np.float64) for size in (count, in_batch))
    return Draws(training, batch)


def common_limits(indices: Floats) -> Floats:
    """One limit for each feature, such that any at all is passed by chance in a batch in two hundred.

    The cube root of an index is nearly normal (Wilson and Hilferty, 1931), so that one multiple of the standard
    deviation serves features of two bins and of ten alike.

    Args:
        indices: draws x features.
    """
    roots = np.cbrt(np.maximum(indices, 0))
    middle, deviation = roots.mean(axis=0), roots.std(axis=0)
    farthest = ((roots - middle) / np.where(deviation > 0, deviation, 1)).max(axis=1)
    multiple = np.quantile(farthest, 1 - FALSE_ALARMS)
    return np.asarray(np.maximum((middle + multiple * deviation) ** 3, LEAST_INDEX))
