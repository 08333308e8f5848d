"""The main job from nothing: surveys through the real API, the pipeline, and what it found."""

import hashlib
from pathlib import Path

import httpx2

from ingest_api.receiving import survey_body
from ingest_api.schemas import EXAMPLE_SURVEY, SurveyRequest
from orchestration.api_process import serving_api
from orchestration.context import Warehouse
from orchestration.pipeline import run_pipeline
from orchestration.runs import Run, Step, fetch
from warehouse.database import queries
from warehouse.errors import ConfigurationError, KyaloError, UnreadableFileError
from warehouse.migrations import migrate
from warehouse.settings import PROJECT_ROOT

SAMPLE = PROJECT_ROOT / "orchestration" / "sample" / "household_survey.csv"
DEVICE_SURVEY = SurveyRequest.model_validate(EXAMPLE_SURVEY)


def run_demo(warehouse: Warehouse, surveys: Path | None) -> tuple[Run, str]:
    """Post a file through the API and run the pipeline; the run and the file's ingestion identifier.

    With the bundled sample one survey is posted as a device would, too. A file of the user's goes alone.
    """
    path = surveys or SAMPLE
    if not path.is_file():
        raise ConfigurationError(f"There is no file {path}.", code="file.not_found", remedy="Check the path.")
    upload = Step("upload over HTTP")
    _keep_sample_apart(warehouse, upload, wants_sample=surveys is None)
    with serving_api(warehouse) as client:
        ingestion_id = _post_file(client, path, upload)
        if surveys is None:
            _demand(client.post("/api/v1/upload/survey-data", json=DEVICE_SURVEY.model_dump()))
            upload.did += ", and one survey as a device sends it"
    run = run_pipeline(warehouse)
    run.steps.insert(0, upload)
    return run, ingestion_id


def _keep_sample_apart(warehouse: Warehouse, step: Step, *, wants_sample: bool) -> None:
    """Made-up surveys never stand beside real ones: they give way to them, and are refused where real ones are."""
    (found,) = fetch(warehouse.database, "foreign_ingestions", known=_sample_hashes())
    if wants_sample and found["foreign_ingestions"]:
        raise ConfigurationError(
            f"The warehouse in {warehouse.settings.home} holds surveys that are not the sample's.",
            code="demo.would_mix",
            remedy="Name another folder: KYALO_HOME=.kyalo-demo make demo.",
        )
    if not wants_sample and found["ingestions"] and not found["foreign_ingestions"]:
        _empty(warehouse)
        step.did = "the made-up sample was cleared away; "


def _sample_hashes() -> list[str]:
    device = survey_body(DEVICE_SURVEY.household_id, DEVICE_SURVEY.survey_data)
    return [hashlib.sha256(content).hexdigest() for content in (SAMPLE.read_bytes(), device.encode())]


def _empty(warehouse: Warehouse) -> None:
    with warehouse.database.transaction() as connection:
        connection.execute(queries("runs")["drop_schemas"])
    for stored in list(warehouse.store.list("")):
        warehouse.store.delete(stored.key)
    migrate(warehouse.database)


def _post_file(client: httpx2.Client, path: Path, step: Step) -> str:
    with path.open("rb") as file:
        answer = _demand(client.post("/api/v1/upload/file", files={"file": (path.name, file, "text/csv")}))
    receipt = answer.json()
    step.seconds = round(answer.elapsed.total_seconds(), 3)
    step.did += f"{receipt['file_info']['size_bytes']:,} bytes, {receipt['ingestion_id']}"
    if receipt["duplicate_of"]:
        step.did += f" (duplicate of {receipt['duplicate_of']})"
    return str(receipt["ingestion_id"])


def _demand(answer: httpx2.Response) -> httpx2.Response:
    if answer.is_success:
        return answer
    problem = answer.json()
    kind = UnreadableFileError if problem["code"].startswith("file.") else KyaloError
    raise kind(problem["detail"], code=problem["code"], remedy=problem["remedy"])
