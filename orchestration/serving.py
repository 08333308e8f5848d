"""The API as it is served: the loader, and the champions' answers beside it."""

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import FastAPI

from ingest_api import app as loader
from ml.online import Predictor
from orchestration.serving_route import router
from warehouse.database import Database
from warehouse.settings import Settings

CONNECTIONS = 4
PATIENCE_SECONDS = 5.0


def create_app(settings: Settings | None = None) -> FastAPI:
    """The whole API; `uvicorn orchestration.serving:create_app --factory` serves it.

    Args:
        settings: what it is told from outside; the process's own when omitted.
    """
    return loader.create_app(settings, extensions=[loader.Extension(router, _predicting)])


@contextmanager
def _predicting(app: FastAPI, settings: Settings) -> Iterator[None]:
    """Give the routes a predictor, whose connections no upload can take from it."""
    database = Database(settings, pool_size=CONNECTIONS, patience=PATIENCE_SECONDS)
    app.state.predictor = Predictor(database, app.state.store)
    app.state.predictor.warm_up(CONNECTIONS)
    yield
    database.close()
