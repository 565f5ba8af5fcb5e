"""The service, put together. It serves one open store and never writes to it."""

from typing import Any

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from api import errors
from api.head import HeadAsGet
from api.openapi import describe
from api.routes import circuits, features, queries, service
from api.settings import Settings
from queries.catalogue import catalogue
from store.database import Store


def create_app(store: Store, settings: Settings | None = None) -> FastAPI:
    """The application over an open store, which stays the caller's to close."""
    app = FastAPIOffline(  # its documentation page fetches nothing from elsewhere
        title="Circuitstore",
        summary="Circuits of language models, and questions about them.",
        version=service.program_version(),
    )
    app.state.store = store
    app.state.settings = settings or Settings()
    app.state.catalogue = catalogue()

    app.include_router(service.router)
    app.include_router(circuits.router(catalogue()))
    app.include_router(features.router(catalogue()))
    app.include_router(queries.router(catalogue()))
    errors.install(app)
    app.add_middleware(HeadAsGet)

    def openapi() -> dict[str, Any]:
        app.openapi_schema = app.openapi_schema or describe(app, catalogue(), store)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
    return app
