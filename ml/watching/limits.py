"""How far batches of villages stray from a model's training rows by chance alone.

Villages are drawn with replacement, twice for each draw: once as many as there are, in the place of the training
rows, and once as many as make a batch. So the limits know that the households of a village are alike, that the
training rows are a sample themselves, and how many features are looked at.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ml.resampling import Floats, Weights

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

    training: Weights
    batch: Weights

    def indices(self, counts: Floats) -> Floats:
        """The index of each draw's batch against its training rows, of one feature.

        Args:
            counts: villages x bins, how many of its households are in each bin.
        """
        small = counts.astype(np.float32)  # counts are whole, and exact in half the memory
        expected, seen = self.training @ small, self.batch @ small
        return stability_index(expected / expected.sum(axis=1, keepdims=True), seen / seen.sum(axis=1, keepdims=True))

    def differences(self, sums: Floats, households: Floats) -> Floats:
        """The mean of each draw's batch less that of its training rows.

        Args:
            sums: of the values of each village's households.
            households: how many each village has.
        """
        expected, seen = ((weights @ sums) / (weights @ households) for weights in (self.training, self.batch))
        return np.asarray(seen - expected)


def draw(villages: int, batches: Sequence[int], known: int, seed: int) -> Iterator[Draws]:
    """Draw for each size of batches.

    Args:
        villages: how many villages the training rows are of.
        batches: how many villages each size of batches is of.
        known: how many villages there are to draw from; less than `villages` where those are very many.
        seed: of the drawing.
    """
    random, chances = np.random.default_rng(seed), np.full(known, 1 / known)
    training = random.multinomial(villages, chances, size=DRAWS).astype(np.float32)
    for batch in batches:
        yield Draws(training, random.multinomial(batch, chances, size=DRAWS).astype(np.float32))


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
