"""The OpenAPI document against the API: whatever the document lets a client send, no answer is an error of ours."""

from collections.abc import Iterator

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from orchestration.api_process import serving_api
from orchestration.context import Warehouse

pytestmark = pytest.mark.xdist_group("api")

EXAMPLES = 50
FEWEST_OPERATIONS = 8


@pytest.fixture(scope="module")
def client(module_warehouse: Warehouse) -> Iterator[httpx2.Client]:
    """An office that is signed in to a running API."""
    with serving_api(module_warehouse) as client:
        yield client


def test_nothing_that_the_document_allows_is_an_error_of_ours(client: httpx2.Client) -> None:
    described = client.get("/openapi.json").json()
    document = schemathesis.openapi.from_dict(described)
    document.config.base_url = str(client.base_url)
    operations = [result.ok() for result in document.get_all_operations()]
    assert len(operations) >= FEWEST_OPERATIONS
    for operation in operations:
        told = described["paths"][operation.path][operation.method]["responses"].keys()
        send_all(client, operation.as_strategy(), {int(status) for status in told})


def send_all(client: httpx2.Client, cases: object, statuses: set[int]) -> None:
    """Send many requests of one route, signed in; each is answered with a status that the document names."""

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(case=cases)  # type: ignore[arg-type]
    def send(case: schemathesis.Case) -> None:
        answer = case.call(headers={"Authorization": client.headers["Authorization"]})
        assert answer.status_code in statuses - {500, 503}, (case.method, case.formatted_path, answer.text)

    send()
