"""Routes for those who watch: whether the API is well, whether it is ready, and its figures for Prometheus."""

import hmac
from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from starlette.concurrency import run_in_threadpool

from ingest_api.auth.access import BEARER_CHALLENGE, is_near
from ingest_api.documentation import EVERY_ROUTE, Codes, problems
from ingest_api.limits import HEALTH_PATH, METRICS_PATH, READY_PATH
from orchestration.monitoring.exposition import Exposition
from orchestration.monitoring.probes import State
from orchestration.monitoring.standing import Standing
from warehouse.errors import ForbiddenError, UnauthenticatedError

EXAMPLE_TIME = "2026-11-23T10:30:00Z"
EXAMPLE_FIGURES = """# HELP kyalo_health_score How well it all is, 0 to 1.
# TYPE kyalo_health_score gauge
kyalo_health_score 0.96
"""
UNAVAILABLE = 503
SCRAPER: Codes = {401: ("metrics.wrong_token",), 403: ("metrics.not_near",)}
router = APIRouter(tags=["status"])


class Components(BaseModel):
    """How each part is: unhealthy does not work, degraded works in part, unknown has nothing to show yet."""

    database: State = Field(description="Whether a survey could be stored.")
    storage: State = Field(description="Whether the object store answers; surveys are taken without it, files are not.")
    model_service: State = Field(description="Whether the screening champion answers; unknown while there is none.")
    monitoring: State = Field(
        description="Whether machines are measured and worker and scheduler live; unknown before the first measurement."
    )


class HealthAnswer(BaseModel):
    """How well the API is, and how well all of Kyalo."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "status": "healthy",
                    "timestamp": EXAMPLE_TIME,
                    "version": "0.1.0",
                    "components": dict.fromkeys(Components.model_fields, "healthy"),
                    "health_score": 0.96,
                }
            ]
        }
    )

    status: State = Field(description="unhealthy where no survey could be stored; degraded where another part is not.")
    timestamp: str
    version: str
    components: Components
    health_score: float | None = Field(
        description="Runs, data, models and machines in one figure from 0 to 1; null while nothing is measured."
    )


class Dependencies(BaseModel):
    """What the API needs, and whether it is there."""

    database_connection: bool
    storage_connection: bool
    model_loaded: bool
    monitoring_active: bool


class ReadyAnswer(BaseModel):
    """Whether the API is ready for requests: surveys can be stored, and the champion, where there is one, is loaded."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "ready": True,
                    "timestamp": EXAMPLE_TIME,
                    "dependencies": dict.fromkeys(Dependencies.model_fields, True),
                }
            ]
        }
    )

    ready: bool
    timestamp: str
    dependencies: Dependencies


@router.get(
    HEALTH_PATH,
    response_model=HealthAnswer,
    summary="Ask whether the API is well",
    responses={UNAVAILABLE: {"model": HealthAnswer, "description": "No survey could be stored now."}},
)
async def get_health(request: Request) -> JSONResponse:
    """How each part is; 503 when no survey could be stored now. It tells what was found a second ago: nobody waits."""
    standing: Standing = request.app.state.standing
    states, score = standing.states, standing.health_score
    answer = HealthAnswer(
        status=_whole(states),
        timestamp=_timestamp(),
        version=request.app.version,
        components=Components(**states),
        health_score=None if score is None else round(score, 2),
    )
    return JSONResponse(answer.model_dump(), UNAVAILABLE if answer.status == "unhealthy" else 200)


@router.get(
    READY_PATH,
    response_model=ReadyAnswer,
    summary="Ask whether the API is ready",
    responses={UNAVAILABLE: {"model": ReadyAnswer, "description": "It is not ready yet, or not any more."}},
)
async def get_ready(request: Request) -> JSONResponse:
    """Whether requests can be sent here: surveys can be stored, and a champion that there is answers; 503 when not."""
    standing: Standing = request.app.state.standing
    states = standing.states
    answer = ReadyAnswer(
        ready=states["database"] == "healthy" and states["model_service"] != "unhealthy",
        timestamp=_timestamp(),
        dependencies=Dependencies(
            database_connection=states["database"] == "healthy",
            storage_connection=states["storage"] == "healthy",
            model_loaded=states["model_service"] == "healthy",
            monitoring_active=states["monitoring"] == "healthy",
        ),
    )
    return JSONResponse(answer.model_dump(), 200 if answer.ready else UNAVAILABLE)


@router.get(
    METRICS_PATH,
    summary="Read the figures of Prometheus",
    response_class=Response,
    responses={
        200: {
            "description": "Metrics, in Prometheus' text format.",
            "content": {CONTENT_TYPE_LATEST: {"schema": {"type": "string"}, "example": EXAMPLE_FIGURES}},
        },
        **problems(EVERY_ROUTE, SCRAPER),
    },
)
async def get_metrics(request: Request) -> Response:
    """Every figure that Kyalo keeps, for a scraper of the same machine or network, or one that bears METRICS_TOKEN."""
    exposition: Exposition = request.app.state.exposition
    _admit(request, exposition.token)
    return Response(await run_in_threadpool(exposition.text), media_type=CONTENT_TYPE_LATEST)


def _whole(states: dict[str, State]) -> State:
    """The parts in a word; what has nothing to show yet is no fault."""
    if states["database"] != "healthy":
        return "unhealthy"
    return "degraded" if {"degraded", "unhealthy"} & set(states.values()) else "healthy"


def _timestamp() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _admit(request: Request, token: SecretStr | None) -> None:
    """Let a scraper in.

    Raises:
        UnauthenticatedError: METRICS_TOKEN is set, and the request does not bear it.
        ForbiddenError: it is not, and the request comes from elsewhere, or by way of a proxy.
    """
    if token is None:
        if not is_near(request.scope):
            raise ForbiddenError(
                "Figures are told to the same machine or private network only.",
                code="metrics.not_near",
                remedy="Set METRICS_TOKEN, and send it as `Authorization: Bearer TOKEN`.",
            )
        return
    borne = request.headers.get("authorization", "").encode()
    if not hmac.compare_digest(borne, f"Bearer {token.get_secret_value()}".encode()):
        raise UnauthenticatedError(
            "The request does not bear METRICS_TOKEN.", code="metrics.wrong_token", challenge=BEARER_CHALLENGE
        )
