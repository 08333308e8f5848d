"""How well data, models and machines are: measured after each run and by the schedule, judged by views of `ops`."""

from orchestration.monitoring.checks import check_performance_now, check_quality
from orchestration.monitoring.health import Component, Health, list_components, read_health
from orchestration.monitoring.measuring import measure
from orchestration.monitoring.system import SystemSample, sample_system

__all__ = [
    "Component",
    "Health",
    "SystemSample",
    "check_performance_now",
    "check_quality",
    "list_components",
    "measure",
    "read_health",
    "sample_system",
]
