"""The service, put together. It serves one open store and never writes to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from api import errors
from api.head import HeadAsGet
from api.openapi import describe
from api.protection import protect
from api.routes import circuits, cypher, features, queries, service
from api.settings import Settings
from queries.catalogue import catalogue
from store.cypher.asking import FreeCypher
from store.database import Store


def create_app(store: Store, settings: Settings | None = None) -> FastAPI:
    """The application over an open store, which stays the caller's to close."""
    settings = settings or Settings()
    free = FreeCypher(store.url, at_once=settings.cypher_at_once, memory=settings.cypher_memory * 2**20)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with free:
            yield

    app = FastAPIOffline(  # its documentation page fetches nothing from elsewhere
        title="Circuitstore",
        summary="Circuits of language models, and questions about them.",
        version=service.program_version(),
        lifespan=lifespan,
    )
    app.state.store = store
    app.state.settings = settings
    app.state.catalogue = catalogue()

    app.include_router(service.router)
    app.include_router(circuits.router(catalogue()))
    app.include_router(features.router(catalogue()))
    app.include_router(queries.router(catalogue()))
    app.include_router(cypher.router(free, settings))
    errors.install(app)
    app.add_middleware(HeadAsGet)
    protect(app, settings)

    def openapi() -> dict[str, Any]:
        app.openapi_schema = app.openapi_schema or describe(app, catalogue(), store)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
    return app
