"""The service itself: what it offers, whether it is alive and ready, and its metrics."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api import schemas
from api.answers import JSON
from api.dependencies import StoreDep
from api.errors import responses
from queries.resources import RESOURCES
from store.bundle import program_version

router = APIRouter(tags=["service"])

LINKS = {
    **{name: f"/{name}" for name in RESOURCES},
    "graph": "/circuits/{circuit}/graph",
    "queries": "/queries",
    "query": "/queries/{name}",
    "style": "/neo4j/circuits.grass",
    "guide": "/neo4j/guide.html",
    "health": "/health",
    "ready": "/ready",
    "metrics": "/metrics",
    "openapi": "/openapi.json",
    "documentation": "/docs",
}

_READY_SECONDS = 5.0


@router.get(
    "/",
    summary="What is here.",
    response_class=JSON,
    openapi_extra=schemas.plain("Links to it.", "name", "version", "links"),
)
async def index(request: Request) -> JSON:
    links = LINKS if request.app.state.jobs is None else {**LINKS, "jobs": "/jobs"}
    return JSON({"name": "circuitstore", "version": program_version(), "links": links})


@router.get(
    "/health",
    summary="Whether the service is alive, and how many seconds a request may take. It asks no database.",
    response_class=JSON,
    openapi_extra=schemas.plain("It is.", "status", "version", "store", "time_limit"),
)
async def health(request: Request, store: StoreDep) -> JSON:
    limit = request.app.state.settings.time_limit
    return JSON({"status": "ok", "version": program_version(), "store": store.dialect, "time_limit": limit})


@router.get(
    "/ready", summary="Whether the database answers, and with it every request.", response_class=JSON,
    responses=responses(503),
    openapi_extra=schemas.plain("It does.", "status", "store"),
)  # fmt: skip
def ready(store: StoreDep) -> JSON:
    store.run("RETURN 1 AS answer", timeout=_READY_SECONDS)
    return JSON({"status": "ready", "store": store.dialect})


@router.get(
    "/metrics",
    summary="Requests, latencies and database errors, for Prometheus.",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics(request: Request) -> Response:
    from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

    return Response(generate_latest(request.app.state.metrics.registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)
