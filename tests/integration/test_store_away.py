"""While the object store is away: surveys are accepted, files are asked for again later, and nothing is lost."""

import io
from collections.abc import Iterator

import httpx2
import pytest

from ingest_api.loading import bundle_bodies
from ingest_api.schemas import EXAMPLE_SURVEY
from orchestration.api_process import serving_api
from orchestration.context import Warehouse
from orchestration.originals import verify_originals
from warehouse.errors import StorageUnavailableError

pytestmark = pytest.mark.xdist_group("api")
CSV = b"household_id,village\nH-1,Kigana\n"


@pytest.fixture
def client(warehouse: Warehouse) -> Iterator[httpx2.Client]:
    """A client of a running API, with a file where the store's folder should be."""
    warehouse.settings.store_folder.rmdir()
    warehouse.settings.store_folder.touch()
    with serving_api(warehouse) as client:
        yield client


def send(client: httpx2.Client) -> httpx2.Response:
    return client.post("/api/v1/upload/file", files={"file": ("visits.csv", io.BytesIO(CSV), "text/csv")})


def test_surveys_are_accepted_and_files_are_asked_for_again(client: httpx2.Client, warehouse: Warehouse) -> None:
    assert client.post("/api/v1/upload/survey-data", json=EXAMPLE_SURVEY).status_code == 200
    answer = send(client)
    assert (answer.status_code, answer.json()["code"]) == (503, "storage.unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    with pytest.raises(StorageUnavailableError):
        bundle_bodies(warehouse.database, warehouse.store, "household_survey")

    warehouse.settings.store_folder.unlink()
    assert send(client).status_code == 200
    assert bundle_bodies(warehouse.database, warehouse.store, "household_survey") == 1
    verification = verify_originals(warehouse.database, warehouse.store)
    assert (verification.originals, verification.findings) == (2, [])
