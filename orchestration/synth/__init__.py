"""Made-up household surveys of any number, shaped, related and soiled like the field's export.

Marginal distributions by district and the covariance of the normals behind them (a Gaussian copula with a
village part and a household part) were measured once; `fit` repeats that for a file of the same shape.
"""

from orchestration.synth.headers import HEADERS, NAMES
from orchestration.synth.writer import SynthSummary, write_surveys

__all__ = ["HEADERS", "NAMES", "SynthSummary", "write_surveys"]
