"""The service, put together. It serves one open store and never writes to it."""

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.middleware.gzip import GZipMiddleware

from api import errors
from api.head import HeadAsGet
from api.observing import Metrics, Observing
from api.openapi import OpenAPI
from api.routes import circuits, neo4j, queries, resources, service
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
    app.state.metrics = Metrics()

    app.include_router(service.router)
    app.include_router(circuits.router(catalogue()))
    app.include_router(resources.router(catalogue()))
    app.include_router(queries.router(catalogue()))
    app.include_router(neo4j.router)
    errors.install(app)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)
    app.add_middleware(Observing, metrics=app.state.metrics)
    app.add_middleware(HeadAsGet)  # the outermost
    app.openapi = OpenAPI(app, catalogue(), store, app.state.settings)  # type: ignore[method-assign]
    return app
