"""The dashboard's application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, RedirectResponse
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from ingest_api.audit import Audit, AuditWriter, read_actions
from orchestration.dashboard import assets
from orchestration.dashboard.access import HOME
from orchestration.dashboard.api import Api
from orchestration.dashboard.mishaps import install_mishap_pages
from orchestration.dashboard.pages import alerts, ingestion, models, overview, quality, quarantine, risk, runs, sign_in
from orchestration.dashboard.reading import open_reader
from orchestration.dashboard.security import SecurityHeaders
from orchestration.dashboard.session import SignIns
from warehouse.database import Database
from warehouse.grants import DASHBOARD
from warehouse.settings import Settings

AUDITED = Path(__file__).with_name("audited_routes.csv")
UNRECORDED = (f"{HOME}/alive", f"{HOME}/static/")


def create_app(settings: Settings) -> FastAPI:
    """The application that serves every page; the warehouse must be migrated.

    Args:
        settings: what it is told from outside.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.reader = open_reader(settings)
        app.state.sign_ins = SignIns(settings, app.state.reader)
        app.state.api = Api(settings, app.state.sign_ins)
        app.state.audit = AuditWriter(Database(settings, pool_size=2, role=DASHBOARD), "dashboard")
        app.state.zone = ZoneInfo(settings.timezone)
        assets.load_asset(assets.PLOTLY)
        yield
        app.state.api.close()
        app.state.audit.close()
        app.state.reader.close()

    app = FastAPI(title="Kyalo dashboard", lifespan=lifespan, openapi_url=None)
    for page in (overview, ingestion, quality, quarantine, risk, models, runs, alerts, sign_in, assets):
        app.include_router(page.router)
    app.add_api_route("/", lambda: RedirectResponse(HOME), methods=["GET"])
    app.add_api_route(f"{HOME}/alive", lambda: PlainTextResponse("alive"), methods=["GET"])
    install_mishap_pages(app)
    app.add_middleware(Audit, door="dashboard", actions=read_actions(AUDITED), unrecorded=UNRECORDED)
    app.add_middleware(SecurityHeaders)
    if settings.trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=settings.trusted_proxies)
    return app
