"""The service itself: what it offers, and whether it is well."""

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import APIRouter

from api.answers import JSON
from api.dependencies import StoreDep
from api.errors import responses

router = APIRouter(tags=["service"])

LINKS = {
    "health": "/health",
    "circuits": "/circuits",
    "circuit": "/circuits/{circuit}",
    "graph": "/circuits/{circuit}/graph",
    "feature": "/features/{feature}",
    "queries": "/queries",
    "query": "/queries/{name}",
    "openapi": "/openapi.json",
    "documentation": "/docs",
}


def program_version() -> str:
    try:
        return version("circuitstore")
    except PackageNotFoundError:
        return "0"


@router.get("/", summary="What is here.", response_class=JSON)
async def index() -> JSON:
    return JSON({"name": "circuitstore", "version": program_version(), "links": LINKS})


@router.get(
    "/health", summary="Whether the service can reach its database.", response_class=JSON, responses=responses(503)
)
def health(store: StoreDep) -> JSON:
    store.run("RETURN 1 AS answer", timeout=5.0)
    body: dict[str, Any] = {"status": "ok", "version": program_version(), "store": store.dialect}
    return JSON(body)
