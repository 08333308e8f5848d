"""The main job from nothing: surveys through the real API, the pipeline, and what it found."""

from pathlib import Path

import httpx2

from orchestration.api_process import serving_api
from orchestration.context import Warehouse
from orchestration.pipeline import Request, run_pipeline
from orchestration.runs import DoneStep, Run
from orchestration.sample import DEVICE_SURVEY, SAMPLE, refuse_sample_beside_others
from warehouse.errors import ConfigurationError, KyaloError, UnreadableFileError


def run_demo(warehouse: Warehouse, surveys: Path | None) -> tuple[Run, str]:
    """Post a file through the API and run the pipeline; the run and the file's ingestion identifier.

    With the bundled sample one survey is posted as a device would, too. A file of the user's goes alone.
    """
    path = surveys or SAMPLE
    if not path.is_file():
        raise ConfigurationError(f"There is no file {path}.", code="file.not_found", remedy="Check the path.")
    upload = DoneStep("upload over HTTP")
    if surveys is None:
        refuse_sample_beside_others(warehouse.database, warehouse.settings.home)
    with serving_api(warehouse) as client:
        ingestion_id = _post_file(client, path, upload)
        if surveys is None:
            headers = {"Content-Type": "application/json"}
            _demand(client.post("/api/v1/upload/survey-data", content=DEVICE_SURVEY, headers=headers))
            upload.did += ", and one survey as a device sends it"
    run = run_pipeline(warehouse, Request(by="demo"))
    run.steps.insert(0, upload)
    return run, ingestion_id


def _post_file(client: httpx2.Client, path: Path, step: DoneStep) -> str:
    with path.open("rb") as file:
        answer = _demand(client.post("/api/v1/upload/file", files={"file": (path.name, file, "text/csv")}))
    receipt = answer.json()
    step.seconds = round(answer.elapsed.total_seconds(), 3)
    step.did = f"{receipt['file_info']['size_bytes']:,} bytes, {receipt['ingestion_id']}"
    if receipt["duplicate_of"]:
        step.did += f" (duplicate of {receipt['duplicate_of']})"
    return str(receipt["ingestion_id"])


def _demand(answer: httpx2.Response) -> httpx2.Response:
    if answer.is_success:
        return answer
    problem = answer.json()
    kind = UnreadableFileError if problem["code"].startswith("file.") else KyaloError
    raise kind(problem["detail"], code=problem["code"], remedy=problem["remedy"])
