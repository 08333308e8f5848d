"""How fast a client may ask, and how often a sign-in may fail."""

import ipaddress
import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from warehouse.errors import TooManyRequestsError

MINUTE = 60.0


class RequestRate:
    """A limit for each client: a minute's worth at once, then as many as flow in over time.

    One number is kept for a client: the time at which all it has asked for would have been due at an even pace.
    The library that limits sign-ins takes 20 times as long, and this is asked for every survey.

    Args:
        per_minute: requests of one client in a minute; 0 for no limit.
    """

    def __init__(self, per_minute: int) -> None:
        self._interval = MINUTE / per_minute if per_minute else 0.0
        self._due: dict[str, float] = {}

    def count(self, name: str) -> None:
        """Count a request of a client.

        Raises:
            TooManyRequestsError: it has spent its share.
        """
        if not self._interval:
            return
        now = time.monotonic()
        due = max(self._due.get(name, now), now) + self._interval
        if due - now > MINUTE:
            raise TooManyRequestsError(
                f"{name} sends faster than {MINUTE / self._interval:,.0f} requests a minute.",
                remedy="Wait for the seconds that Retry-After names; send several surveys in one batch.",
                retry_seconds=math.ceil(due - now - MINUTE),
            )
        self._due[name] = due


class LoginGuard:
    """Counts failed sign-ins by subject, such as an address; a successful one costs nothing.

    Args:
        per_minute: how many may fail in a minute.
    """

    def __init__(self, per_minute: int) -> None:
        self._limit = RateLimitItemPerMinute(per_minute)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def check(self, *subjects: str) -> None:
        """Let a sign-in be tried.

        Raises:
            TooManyRequestsError: too many have failed for one of the subjects.
        """
        for subject in subjects:
            if not self._limiter.test(self._limit, subject):
                reset_time = self._limiter.get_window_stats(self._limit, subject).reset_time
                raise TooManyRequestsError(
                    "Too many sign-ins have failed.",
                    code="rate.too_many_failures",
                    remedy="Check the name and the secret, then try again after the seconds that Retry-After names.",
                    retry_seconds=max(1, math.ceil(reset_time - time.time())),
                )

    def note_failure(self, *subjects: str) -> None:
        """Count a failed sign-in."""
        for subject in subjects:
            self._limiter.hit(self._limit, subject)


def address_subject(host: str | None) -> str:
    """What failed sign-ins of an address are counted under: whoever has one IPv6 address has a network of them."""
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        return "address unknown"
    if isinstance(address, ipaddress.IPv4Address):
        return f"address {address}"
    return f"address {address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False)}"
