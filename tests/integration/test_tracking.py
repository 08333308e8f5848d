"""MLflow as a mirror of the registry, in the same database and the same store."""

import io
import os
from pathlib import Path

import pytest

from ml.artifact_repository import KyaloArtifactRepository
from ml.catalogue import TrainedModel, find_model
from ml.promotion.consider import consider, restore
from ml.tracking import ENVIRONMENT, mirror, tracking_uri
from orchestration.context import Warehouse
from tests.registered import make_features_function, make_scored_rows, register_model

pytestmark = [
    pytest.mark.xdist_group("mlflow"),
    pytest.mark.filterwarnings(
        "ignore:The ``noload`` loader strategy:DeprecationWarning"
    ),  # how MLflow asks SQLAlchemy
]
NAME = "vulnerability_screening"
GOOD, BETTER = 1.2, 0.9


@pytest.fixture
def warehouse(warehouse_in_a_new_place: Warehouse) -> Warehouse:
    """A warehouse where none was before: MLflow remembers by its address whether a database is set up."""
    return warehouse_in_a_new_place


@pytest.fixture(autouse=True)
def environment(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment that MLflow is told to be quiet by, for the length of a test."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("ml.artifact_repository.get_settings", lambda: warehouse.settings)


def mirror_all(warehouse: Warehouse) -> str | None:
    return mirror(warehouse.database, warehouse.store)


def add(warehouse: Warehouse, noise: float) -> TrainedModel:
    return register_model(warehouse, make_scored_rows(noise))


def ask(warehouse: Warehouse, model: TrainedModel) -> None:
    consider(warehouse.database, warehouse.store, model, actor="ada")


def content(warehouse: Warehouse, key: str) -> bytes:
    with warehouse.store.get(key) as file:
        return file.read()


def aliases(warehouse: Warehouse) -> dict[str, str]:
    from mlflow import MlflowClient

    uri = tracking_uri(warehouse.database)
    found = MlflowClient(tracking_uri=uri, registry_uri=uri).get_registered_model(NAME)
    return {str(alias): str(version) for alias, version in found.aliases.items()}


def test_mlflow_tells_of_every_model_and_who_is_champion(warehouse: Warehouse, tmp_path: Path) -> None:
    from mlflow import MlflowClient
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    make_features_function(warehouse.database)
    first, better = add(warehouse, GOOD), add(warehouse, BETTER)
    ask(warehouse, first)
    assert mirror_all(warehouse) is None
    assert aliases(warehouse) == {"champion": "1", "challenger": "2"}
    ask(warehouse, better)
    assert mirror_all(warehouse) is None
    assert aliases(warehouse) == {"champion": "2"}
    restore(warehouse.database, warehouse.store, "screening", actor="ada", reason="hills")
    assert mirror_all(warehouse) is None
    assert aliases(warehouse) == {"champion": "1", "challenger": "2"}

    uri = tracking_uri(warehouse.database)
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    version = client.get_model_version_by_alias(NAME, "champion")
    assert version.run_id == find_model(warehouse.database, "screening", 1).mlflow_run_id
    run = client.get_run(version.run_id)
    assert run.data.metrics["village/auc"] == 0.79
    assert run.data.metrics["village/auc/lower_bound"] == 0.76
    assert run.data.metrics["village/district/King_s Town/exclusion_error"] == 0.4
    assert run.data.params["algorithm"] == "logistic_regression"
    assert run.data.tags["kyalo.sha256"] == first.sha256
    assert run.data.tags["mlflow.source.git.commit"] == "abc"
    assert (run.info.status, run.info.end_time - run.info.start_time) == ("FINISHED", 1500)

    report = KyaloArtifactRepository(run.info.artifact_uri, store=warehouse.store)
    assert [file.path for file in report.list_artifacts()] == ["report.html"]
    folder = KyaloArtifactRepository(version.source, store=warehouse.store)
    assert isinstance(get_artifact_repository(version.source), KyaloArtifactRepository), "MLflow finds it by itself"
    copy = folder.download_artifacts("model.json", str(tmp_path))
    assert Path(copy).read_bytes() == content(warehouse, first.object_key)


def test_what_was_missed_is_made_up_for_and_nothing_is_told_twice(warehouse: Warehouse) -> None:
    from mlflow import MlflowClient

    make_features_function(warehouse.database)
    add(warehouse, GOOD)
    warehouse.store.delete(f"models/{NAME}/1/report.html")
    assert mirror_all(warehouse) is None
    with warehouse.database.transaction() as connection:  # as if the process had died before the end
        connection.execute("update ml.models set mlflow_run_id = null")
    add(warehouse, GOOD)
    assert mirror_all(warehouse) is None
    uri = tracking_uri(warehouse.database)
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    (experiment,) = [found for found in client.search_experiments() if found.name == NAME]
    assert len(client.search_runs([experiment.experiment_id])) == 2
    assert {int(found.version) for found in client.search_model_versions(f"name = '{NAME}'")} == {1, 2}


def test_a_mirror_that_fails_is_a_warning_without_the_password(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_features_function(warehouse.database)
    add(warehouse, GOOD)
    monkeypatch.setenv("MLFLOW_SQLALCHEMYSTORE_POOLCLASS", "NoSuchPool")
    warning = mirror_all(warehouse)
    assert warning is not None
    assert warning.startswith("MLflow is behind: ")
    assert warehouse.settings.db_password.get_secret_value() not in warning


def test_nothing_to_tell_costs_no_import_of_mlflow(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DO_NOT_TRACK")
    assert mirror_all(warehouse) is None
    assert "DO_NOT_TRACK" not in os.environ


def test_artifacts_are_objects_of_the_store_and_stay(warehouse: Warehouse, tmp_path: Path) -> None:
    from mlflow.exceptions import MlflowException

    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "gain.txt").write_text("up")
    (tmp_path / "notes.txt").write_text("good")
    repository = KyaloArtifactRepository("kyalo://models/mlflow/1", store=warehouse.store)
    repository.log_artifacts(str(tmp_path))
    assert [(file.path, file.is_dir) for file in repository.list_artifacts()] == [("notes.txt", False), ("plots", True)]
    assert [file.path for file in repository.list_artifacts("plots")] == ["plots/gain.txt"]
    assert repository.list_artifacts("notes.txt") == []
    assert content(warehouse, "models/mlflow/1/plots/gain.txt") == b"up"
    with pytest.raises(MlflowException, match="there already"):
        repository.log_artifact(str(tmp_path / "notes.txt"))
    with pytest.raises(MlflowException, match="stays"):
        repository.delete_artifacts("notes.txt")
    warehouse.store.put("models/mlflow/10/other.txt", io.BytesIO(b"another"), "text/plain")
    assert len(repository.list_artifacts()) == 2
