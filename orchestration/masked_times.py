"""When what is copied came: moved back by days that nothing else in the copy tells.

Whatever came together, in one upload or about one household, is moved together. Otherwise the difference between two
moves could be read off: the rows of an upload were received at one moment.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from datetime import UTC, datetime, time, timedelta

from orchestration.masking import Masker

NOON = time(12, tzinfo=UTC)  # of a day in most time zones the same day


class Companies:
    """Which things belong together: whatever was joined, directly or through others."""

    def __init__(self) -> None:
        self._leaders: dict[Hashable, Hashable] = {}

    def join(self, one: Hashable, other: Hashable) -> None:
        """Say that two things belong together."""
        self._leaders[self.leader(one)] = self.leader(other)

    def leader(self, member: Hashable) -> Hashable:
        """The thing that stands for all that belong together with a thing."""
        while (leader := self._leaders.setdefault(member, member)) != member:
            self._leaders[member] = self._leaders[leader]
            member = leader
        return member


def masked_moments(
    masker: Masker, received: Mapping[str, datetime], companies: Companies
) -> dict[str, tuple[datetime, timedelta]]:
    """When each upload came in the copy, and how far it is moved back, in the order in which they came there.

    Of a moment the day is left, and of the uploads that belong together and came on one day the order: a time of day is
    as good as a name for whoever reads the source's ledger.

    Args:
        masker: gives the days under the copy's key.
        received: when each upload came, the first first.
        companies: which uploads belong together.
    """
    earlier: Counter[tuple[Hashable, object]] = Counter()
    moments = {}
    for upload, moment in received.items():
        leader, day = companies.leader(upload), moment.astimezone(UTC).date()
        back = masker.days_back(str(leader))
        rank = timedelta(milliseconds=earlier[leader, day])
        earlier[leader, day] += 1
        moments[upload] = (datetime.combine(day, NOON) - back + rank, back)
    return dict(sorted(moments.items(), key=lambda item: (item[1][0], masker.pseudonym("order", item[0]))))


def companies_of(pairs: Iterable[tuple[Hashable, Hashable]]) -> Companies:
    """Companies in which each pair belongs together."""
    companies = Companies()
    for one, other in pairs:
        companies.join(one, other)
    return companies
