"""The FastAPI application of the loader."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from ingest_api.limits import BodyLimit
from ingest_api.problems import install_problem_handlers
from ingest_api.routes import router
from warehouse.database import Database
from warehouse.migrations import migrate
from warehouse.settings import Settings, get_settings
from warehouse.stores import open_store

POOL_SIZE = 16
FILE_PATH = "/api/v1/upload/file"


def create_app(settings: Settings | None = None) -> FastAPI:
    """The loader's application; `uvicorn ingest_api.app:create_app --factory` serves it.

    Args:
        settings: what it is told from outside; the process's own when omitted.
    """
    settings = settings or get_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database = Database(settings, pool_size=POOL_SIZE)
        migrate(database)
        app.state.database = database
        app.state.store = open_store(settings)
        yield
        database.close()

    app = FastAPIOffline(title="Kyalo", version="0.1.0", summary="Household surveys in.", lifespan=lifespan)
    app.include_router(router)
    install_problem_handlers(app)
    app.add_middleware(
        BodyLimit,
        file_path=FILE_PATH,
        file_bytes=settings.max_file_bytes,
        other_bytes=settings.max_survey_bytes,
    )
    return app
