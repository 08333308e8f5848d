"""Many runs of the kill tests, in an order that a seed decides: `make chaos`."""

import argparse
import random
import secrets
import signal
import sys
import time
from collections import Counter
from datetime import timedelta

from rich.console import Console

from orchestration.originals import verify_originals
from tests.chaos.scenarios import SCENARIOS, Scenario, play
from tests.chaos.stand import Stand, standing

out = Console(highlight=False, markup=False)


def main() -> None:
    """Play as many scenarios as asked, tell how each ended, and end with 1 when one failed."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10_000))
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left running
    out.print(f"{options.runs} runs, seed {options.seed}")
    failures: list[str] = []
    resent: Counter[str] = Counter()
    with standing() as stand:
        for number, scenario in enumerate(_draw(options.runs, options.seed), start=1):
            started = time.monotonic()
            problem = _play(stand, scenario, f"run{number}", resent)
            failures += [f"run {number}, {scenario.name}: {problem}"] if problem else []
            out.print(f"{number:4} {time.monotonic() - started:5.1f} s  {scenario.name}: {problem or 'ok'}")
        verification = verify_originals(stand.database, stand.warehouse.store, repair=True, grace=timedelta())
        left = verify_originals(stand.database, stand.warehouse.store, grace=timedelta())
    failures += [f"after the repair: {finding}" for finding in left.findings]
    repaired = Counter(finding.problem for finding in verification.findings)
    out.print(f"sent again: {dict(resent)}; repaired in the store: {dict(repaired)}")
    for failure in failures:
        out.print(failure)
    out.print(f"done: {options.runs} runs with seed {options.seed}, {len(failures)} failures")
    sys.exit(bool(failures))


def _draw(runs: int, seed: int) -> list[Scenario]:
    """Every scenario as often as every other, in an order of chance."""
    rounds = -(-runs // len(SCENARIOS))
    drawn = list(SCENARIOS) * rounds
    random.Random(seed).shuffle(drawn)  # noqa: S311 - chance that can be repeated
    return drawn[:runs]


def _play(stand: Stand, scenario: Scenario, run: str, resent: Counter[str]) -> str:
    """Play a scenario; what went wrong, in a line."""
    try:
        resent[scenario.victim] += play(stand, scenario, run).resent
    except Exception as error:  # noqa: BLE001 - the other runs shall be seen, too
        return f"{type(error).__name__}: {error}"
    return ""


if __name__ == "__main__":
    main()
