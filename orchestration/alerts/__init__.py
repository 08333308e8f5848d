"""Alerts: what is wrong is found by rules, opened once, told to those who want to know, and closed by itself."""

from orchestration.alerts.checking import Changes, check_alerts

__all__ = ["Changes", "check_alerts"]
