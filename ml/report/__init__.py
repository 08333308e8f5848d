"""One HTML page about a model, for people who have to act on it."""

from ml.report.page import ModelFacts, write_report

__all__ = ["ModelFacts", "write_report"]
