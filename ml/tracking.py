"""MLflow as a mirror: a run and a version for each model, and the aliases champion and challenger.

`ml.models` and `ml.model_events` are the truth; MLflow, in the schema `mlflow` of the same database, is filled from
them, so that whatever was missed is made up for the next time. It takes seconds to import, so it is imported only
when there is something to tell it.
"""

import logging
import os
import re
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from ml.artifacts import REPORT
from ml.catalogue import TrainedModel, challengers, champions, list_models
from ml.evaluation import Evaluation
from ml.promotion.scores import read_evaluation
from warehouse.database import Database, fetch_row, fetch_rows, queries
from warehouse.errors import ConflictError
from warehouse.stores import ObjectStore

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.store.artifact.artifact_repo import ArtifactRepository

STATEMENTS = queries("promotion")
ARTIFACTS = "kyalo://models/mlflow"
# No word to anybody outside, no connection kept, no search for git.
ENVIRONMENT = {
    "DO_NOT_TRACK": "true",
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SQLALCHEMYSTORE_POOLCLASS": "NullPool",
}
LOGGERS = ("alembic", "mlflow")
ROLES = ("champion", "challenger")
# What MLflow takes.
METRICS_AT_A_TIME = 1_000
PARAMS = 100
PARAM_CHARACTERS = 6_000
NO_NAME = re.compile(r"[^\w.\- /]")

Aliases = dict[tuple[str, str], int]


def mirror(database: Database, store: ObjectStore) -> str | None:
    """Tell MLflow what it does not know yet: new models, and who is champion and challenger.

    Returns:
        None when MLflow is up to date; else why it is not. The next call makes up for it.
    """
    try:
        with database.lock("kyalo.mlflow", wait=True):
            if _is_up_to_date(database):
                return None
            with _client(database) as client:
                for model in reversed(_unknown(database)):
                    _add_version(client, database, store, model)
                _move_aliases(client, wanted=_wanted_aliases(database), present=_present_aliases(database))
    except Exception as error:  # noqa: BLE001 - the warehouse is the truth: nothing may fail because a mirror does
        return f"MLflow is behind: {type(error).__name__}: {str(error).partition(chr(10))[0]}"
    return None


def tracking_uri(database: Database) -> str:
    """Where MLflow finds its tables. It holds the password: it goes into no log and on no command line."""
    address = database.address()
    account_names = ("user", "password", "dbname")
    place = {name: value for name, value in address.items() if name not in account_names}
    place |= {"options": "-csearch_path=mlflow"}
    account = f"{quote(address['user'], safe='')}:{quote(address['password'], safe='')}"
    return f"postgresql+psycopg://{account}@/{quote(address['dbname'], safe='')}?{urlencode(place)}"


def open_artifacts(
    artifact_uri: str, tracking_uri: str | None = None, registry_uri: str | None = None
) -> "ArtifactRepository":
    """What MLflow reads and writes `kyalo://` by: its entry point, which must not need MLflow to be loaded."""
    from ml.artifact_repository import KyaloArtifactRepository

    return KyaloArtifactRepository(artifact_uri, tracking_uri, registry_uri)


def _is_up_to_date(database: Database) -> bool:
    return not _unknown(database) and _wanted_aliases(database) == _present_aliases(database)


def _unknown(database: Database) -> list[TrainedModel]:
    """The models that MLflow does not know, the newest first."""
    has_mlflow = _has_mlflow(database)
    return [model for model in list_models(database) if model.mlflow_run_id is None or not has_mlflow]


def _wanted_aliases(database: Database) -> Aliases:
    found = dict(zip(ROLES, (champions(database), challengers(database)), strict=True))
    return {(model.model_name, role): model.model_version for role in ROLES for model in found[role].values()}


def _present_aliases(database: Database) -> Aliases:
    if not _has_mlflow(database):
        return {}
    with database.transaction() as connection:
        return {
            (row["name"], row["alias"]): int(row["version"])
            for row in fetch_rows(connection, STATEMENTS["select_aliases"], {"roles": list(ROLES)})
        }


def _has_mlflow(database: Database) -> bool:
    with database.transaction() as connection:
        row = fetch_row(connection, STATEMENTS["has_mlflow"])
    return bool(row and row["has_mlflow"])


@contextmanager
def _client(database: Database) -> Iterator["MlflowClient"]:
    """MLflow, told to be quiet; its tables are made at the first use, and brought up to date."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with database.transaction() as connection:
        connection.execute(STATEMENTS["create_mlflow"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what MLflow thinks of SQLAlchemy is nothing that our users can change
        from mlflow import MlflowClient  # takes seconds

        for name in LOGGERS:
            logging.getLogger(name).setLevel(logging.WARNING)
        yield MlflowClient(tracking_uri=tracking_uri(database), registry_uri=tracking_uri(database))


def _add_version(client: "MlflowClient", database: Database, store: ObjectStore, model: TrainedModel) -> None:
    """A run that tells of the training, and a version under the model's name; what was begun before is finished."""
    experiment_id = _experiment(client, model.model_name)
    found = client.search_runs([experiment_id], f"tags.`kyalo.version` = '{model.model_version}'", max_results=1)
    run_id = found[0].info.run_id if found else _add_run(client, experiment_id, model)
    with database.transaction() as connection:
        evaluation = read_evaluation(connection, model)
    _log(client, run_id, model, evaluation)
    _log_report(run_id, store, model)
    client.set_terminated(run_id, end_time=_milliseconds(model.trained_at))
    _register(client, model, run_id)
    with database.transaction() as connection:
        values = {"model_name": model.model_name, "model_version": model.model_version, "mlflow_run_id": run_id}
        connection.execute(STATEMENTS["set_mlflow_run"], values)


def _experiment(client: "MlflowClient", name: str) -> str:
    found = client.get_experiment_by_name(name)
    return str(found.experiment_id if found else client.create_experiment(name, artifact_location=ARTIFACTS))


def _add_run(client: "MlflowClient", experiment_id: str, model: TrainedModel) -> str:
    started = model.trained_at - timedelta(seconds=model.metadata.get("training_seconds", 0))
    tags = {
        "kyalo.version": str(model.model_version),
        "kyalo.sha256": model.sha256,
        "kyalo.training_fingerprint": model.training_fingerprint,
        "kyalo.feature_set_version": model.feature_set_version or "",
        "kyalo.run_id": model.run_id,
        "mlflow.source.git.commit": str(model.metadata.get("git_revision") or ""),
        "mlflow.user": "kyalo",
    }
    name = f"{model.algorithm} version {model.model_version}"
    run = client.create_run(experiment_id, start_time=_milliseconds(started), tags=tags, run_name=name)
    return str(run.info.run_id)


def _log(client: "MlflowClient", run_id: str, model: TrainedModel, evaluation: Evaluation) -> None:
    from mlflow.entities import Metric, Param

    facts = {"algorithm": model.algorithm, "features": len(model.feature_names), **model.metadata}
    params = [Param(NO_NAME.sub("_", name), str(value)[:PARAM_CHARACTERS]) for name, value in facts.items()]
    client.log_batch(run_id, params=params[:PARAMS])
    at = _milliseconds(model.trained_at)
    metrics = [Metric(name, value, at, 0) for name, value in _metrics(evaluation)]
    for start in range(0, len(metrics), METRICS_AT_A_TIME):
        client.log_batch(run_id, metrics=metrics[start : start + METRICS_AT_A_TIME])


def _metrics(evaluation: Evaluation) -> Iterator[tuple[str, float]]:
    """Each measure and its bounds, under names such as `village/auc` or `village/district/Kanungu/exclusion_error`."""
    for measure in evaluation.measures:
        segment = "" if measure.segment_kind == "all" else f"{measure.segment_kind}/{measure.segment}/"
        name = NO_NAME.sub("_", f"{measure.split}/{segment}{measure.metric}")
        values = {"": measure.value, "/lower_bound": measure.lower_bound, "/upper_bound": measure.upper_bound}
        yield from ((f"{name}{suffix}", value) for suffix, value in values.items() if value is not None)


def _log_report(run_id: str, store: ObjectStore, model: TrainedModel) -> None:
    from ml.artifact_repository import KyaloArtifactRepository

    key = f"{model.folder}/{REPORT}"
    repository = KyaloArtifactRepository(f"{ARTIFACTS}/{run_id}/artifacts", store=store)
    if not store.head(key) or repository.list_artifacts():
        return
    with tempfile.TemporaryDirectory() as folder, store.get(key) as source:
        copy = Path(folder, REPORT)
        copy.write_bytes(source.read())
        repository.log_artifact(str(copy))


def _register(client: "MlflowClient", model: TrainedModel, run_id: str) -> None:
    name = model.model_name
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name, description=str(model.metadata.get("meaning", "")))
    versions = {int(version.version) for version in client.search_model_versions(f"name = '{name}'")}
    if model.model_version in versions:
        return
    tags = {"algorithm": model.algorithm, "artifact_kind": model.artifact_kind, "sha256": model.sha256}
    created = client.create_model_version(name, source=f"kyalo://{model.folder}", run_id=run_id, tags=tags)
    if int(created.version) != model.model_version:
        client.delete_model_version(name, created.version)
        raise ConflictError(f"MLflow would count {name} version {model.model_version} as {created.version}.")


def _move_aliases(client: "MlflowClient", *, wanted: Aliases, present: Aliases) -> None:
    for (name, alias), version in wanted.items():
        if present.get((name, alias)) != version:
            client.set_registered_model_alias(name, alias, str(version))
    for name, alias in present.keys() - wanted.keys():
        client.delete_registered_model_alias(name, alias)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
