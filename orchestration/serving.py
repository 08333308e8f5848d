"""The API as it is served: the loader, the champions' answers beside it, and what tells how they are."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import FastAPI

from ingest_api import app as loader
from ml.online import Predictor
from orchestration import serving_dashboard
from orchestration.monitoring import routes
from orchestration.monitoring.exposition import Exposition
from orchestration.monitoring.standing import Standing
from orchestration.serving_route import router
from warehouse.database import Database
from warehouse.grants import SCORER
from warehouse.settings import Settings

CONNECTIONS = 4
PATIENCE_SECONDS = 5.0


def create_app(settings: Settings | None = None) -> FastAPI:
    """The whole API; `uvicorn orchestration.serving:create_app --factory` serves it.

    Args:
        settings: what it is told from outside; the process's own when omitted.
    """
    extensions = [
        loader.Extension(router, _predicting),
        loader.Extension(routes.router, _watching),
        loader.Extension(serving_dashboard.router, serving_dashboard.knowing_settings),
    ]
    return loader.create_app(settings, extensions=extensions)


@contextmanager
def _predicting(app: FastAPI, settings: Settings) -> Iterator[None]:
    """Give the routes a predictor, whose connections no upload can take from it."""
    database = Database(settings, pool_size=CONNECTIONS, patience=PATIENCE_SECONDS, role=SCORER)
    app.state.predictor = Predictor(database, app.state.store)
    app.state.predictor.warm_up(CONNECTIONS)
    gc.collect()
    gc.freeze()  # what is loaded by now stays: nobody waits for the collector to look through it
    yield
    gc.unfreeze()
    database.close()


@contextmanager
def _watching(app: FastAPI, settings: Settings) -> Iterator[None]:
    """Give the routes what looks after the API, and what tells its figures."""
    state = app.state
    state.standing = Standing(app, settings)
    state.exposition = Exposition(
        state.standing, state.request_times, state.database, version=app.version, token=settings.metrics_token
    )
    yield
    state.standing.close()
