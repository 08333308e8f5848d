"""The FastAPI application of the loader."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, closing
from dataclasses import dataclass

from fastapi import APIRouter, FastAPI
from fastapi_offline import FastAPIOffline
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from ingest_api.audit import UNRECORDED, Audit, AuditWriter, actions_of_api
from ingest_api.auth.doorkeeper import Doorkeeper, FreshClients
from ingest_api.auth.log_filter import hide_tokens_in_logs
from ingest_api.documentation import EVERY_ROUTE, TAGS, complete_document, problems
from ingest_api.group_commit import SLOW_LANES, SurveyWriter
from ingest_api.limits import FORM_LIMITS, BatchMemory, RequestLimits
from ingest_api.problems import install_problem_handlers
from ingest_api.processing_time import ProcessingTime
from ingest_api.request_log import RequestLog
from ingest_api.request_times import RequestTimes
from ingest_api.routes import auth, files, forms, households, openrosa, quarantine, status, surveys
from ingest_api.schemas import describe_survey
from warehouse.database import Database
from warehouse.grants import LOADER
from warehouse.hash_key import require_hash_key
from warehouse.migrations import migrate
from warehouse.settings import Settings, get_settings
from warehouse.stores import open_store

POOL_SIZE = 16
PATIENCE_SECONDS = 5.0  # for a twin in another transaction; who waits longer is asked to come again


@dataclass(frozen=True)
class Extension:
    """Routes that another part of Kyalo adds to the API.

    Attributes:
        router: its routes.
        lifespan: opens what they need, into the application's state, for as long as it serves.
    """

    router: APIRouter
    lifespan: Callable[[FastAPI, Settings], AbstractContextManager[None]]


def create_app(settings: Settings | None = None, *, extensions: Sequence[Extension] = ()) -> FastAPI:
    """The loader's application.

    Args:
        settings: what it is told from outside; the process's own when omitted.
        extensions: what is served beside it.
    """
    settings = settings or get_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with closing(Database(settings)) as owned:
            migrate(owned)
            require_hash_key(owned)
        database = Database(settings, pool_size=POOL_SIZE, patience=PATIENCE_SECONDS, role=LOADER)
        # Single surveys have connections that no other door can take from them.
        writing = Database(settings, pool_size=1 + SLOW_LANES, patience=PATIENCE_SECONDS, role=LOADER)
        hide_tokens_in_logs()
        state = app.state
        state.database, state.store = database, open_store(settings)
        state.clients = Doorkeeper(settings, database)
        state.audit = AuditWriter(Database(settings, pool_size=2, patience=PATIENCE_SECONDS, role=LOADER), "api")
        state.writer = SurveyWriter(writing, state.audit.chain)
        state.processing_time = ProcessingTime(database)
        with ExitStack() as stack:
            for extension in extensions:
                stack.enter_context(extension.lifespan(app, settings))
            yield
        state.processing_time.close()
        state.writer.close()
        writing.close()
        state.audit.close()
        state.clients.close()
        database.close()

    app = FastAPIOffline(
        title="Kyalo",
        version="0.1.0",
        summary="Household surveys in.",
        lifespan=lifespan,
        redoc_url=None,  # its page asks another machine for a picture
        form_limits=FORM_LIMITS,
        openapi_tags=TAGS,
        generate_unique_id_function=lambda route: route.name,
    )
    own = (surveys, files, status, quarantine, households, forms, auth, openrosa)
    for router in [*(routes.router for routes in own), *(extension.router for extension in extensions)]:
        app.include_router(router, responses=problems(EVERY_ROUTE))
    complete_document(app, {"Survey": describe_survey(), "SignIn": auth.SignIn.model_json_schema()})
    install_problem_handlers(app)
    app.add_middleware(FreshClients)
    app.add_middleware(BatchMemory, settings=settings)
    app.add_middleware(RequestLimits, settings=settings)
    app.add_middleware(Audit, door="api", actions=actions_of_api(), unrecorded=UNRECORDED)
    app.state.request_times = RequestTimes()
    app.add_middleware(RequestLog, times=app.state.request_times)
    if settings.trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=settings.trusted_proxies)
    return app
