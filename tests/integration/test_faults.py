"""The fault injection of benchmarks/faults.py, short: planted defects are named, clean surveys left alone."""

from pathlib import Path

import pytest

from benchmarks.faults import find_faults
from orchestration.context import Warehouse

pytestmark = [pytest.mark.xdist_group("models"), pytest.mark.timeout(300)]


def test_rules_name_what_was_planted_and_nothing_else(warehouse: Warehouse, tmp_path: Path) -> None:
    findings = find_faults(warehouse, tmp_path, households=2_000, each=3)
    assert len(findings.planted) >= 25
    assert findings.caught == findings.planted
    assert findings.rejected == 0
    assert findings.flagged <= 0.01 * findings.clean
