"""Limits: an honest device never meets one, a program that runs wild does."""

import pytest

from ingest_api.auth.rates import LoginGuard, RequestRate, address_subject
from warehouse.errors import TooManyRequestsError


def test_device_that_syncs_five_hundred_surveys_is_not_stopped() -> None:
    rate = RequestRate(1200)
    for _ in range(1200):
        rate.count("tablet-1")
    with pytest.raises(TooManyRequestsError) as caught:
        rate.count("tablet-1")
    assert caught.value.facts["retry_seconds"] == 1
    rate.count("tablet-2")


def test_no_limit_is_no_limit() -> None:
    rate = RequestRate(0)
    for _ in range(10_000):
        rate.count("tablet-1")


def test_failures_are_counted_for_each_subject() -> None:
    guard = LoginGuard(2)
    guard.note_failure("address 10.0.0.1", "client a")
    guard.note_failure("address 10.0.0.2", "client a")
    guard.check("address 10.0.0.1", "client b")
    with pytest.raises(TooManyRequestsError) as caught:
        guard.check("address 10.0.0.3", "client a")
    assert 0 < int(str(caught.value.facts["retry_seconds"])) <= 60


@pytest.mark.parametrize(
    ("host", "subject"),
    [
        ("10.0.0.1", "address 10.0.0.1"),
        ("2001:db8:0:1::7", "address 2001:db8:0:1::/64"),
        ("::ffff:10.0.0.1", "address 10.0.0.1"),
        (None, "address unknown"),
    ],
)
def test_addresses_of_one_network_count_as_one(host: str | None, subject: str) -> None:
    assert address_subject(host) == subject
