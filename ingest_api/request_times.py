"""How long requests take, counted by route and outcome: what each of thousands a second can afford."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds
METHODS = frozenset(("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"))


class Series(NamedTuple):
    """What is counted together.

    Attributes:
        route: the address of the route, with its parameters by name; other where there is no such route.
        status_class: 2xx to 5xx; aborted where the client left before an answer.
    """

    method: str
    route: str
    status_class: str


@dataclass(slots=True)
class Times:
    """How many requests took up to each bound, and longer than the last, and all their seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0


class RequestTimes:
    """Counts requests, on the event loop's thread; another may read meanwhile."""

    def __init__(self) -> None:
        self._times: dict[tuple[str, str | None, int | None], Times] = {}

    def note(self, method: str, route: str | None, status: int | None, seconds: float) -> None:
        """Count a request.

        Args:
            method: what it was sent with; one that HTTP does not know counts as other.
            route: the address of its route, None where there is none.
            status: what it was answered with, None where the client left.
            seconds: from its head to the end of its answer.
        """
        key = method if method in METHODS else "other", route, status and status // 100
        times = self._times.get(key)
        if times is None:
            times = self._times[key] = Times()
        times.counts[bisect_left(BOUNDS, seconds)] += 1
        times.seconds += seconds

    def series(self) -> Iterator[tuple[Series, Times]]:
        """What was counted until now."""
        for (method, route, status_class), times in [*self._times.items()]:
            yield Series(method, route or "other", f"{status_class}xx" if status_class else "aborted"), times
