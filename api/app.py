"""The service, put together. It serves one open store, and writes to it only where uploads are turned on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.middleware.gzip import GZipMiddleware

from api import errors
from api.head import HeadAsGet
from api.headers import SecurityHeaders
from api.jobs.queue import Jobs
from api.observing import Metrics, Observing
from api.openapi import OpenAPI, description
from api.protection import protect
from api.routes import circuits, cypher, jobs, neo4j, queries, resources, service
from api.settings import Settings
from queries.catalogue import catalogue
from store.bundle import program_version
from store.cypher.asking import FreeCypher
from store.database import Store


def create_app(store: Store, settings: Settings | None = None) -> FastAPI:
    """The application over an open store, which stays the caller's to close. With uploads it must be open to write."""
    settings = settings or Settings()
    known = catalogue().within(settings.hop_limit)
    free = FreeCypher(store.url, at_once=settings.cypher_at_once, memory=settings.cypher_memory * 2**20)

    memory, space = settings.import_memory * 2**20, settings.uploads_space * 2**20
    uploads = Jobs(store, settings.jobs, memory=memory, space=space) if settings.uploads else None

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with free, uploads or nullcontext():
            yield

    app = FastAPIOffline(  # its documentation page fetches nothing from elsewhere
        title="Circuitstore",
        summary="Circuits of language models, and questions about them.",
        description=description(settings),
        version=program_version(),
        lifespan=lifespan,
    )
    app.state.store = store
    app.state.settings = settings
    app.state.jobs = uploads
    app.state.catalogue = known
    app.state.metrics = Metrics()

    app.include_router(service.router)
    app.include_router(circuits.router(known, settings))
    app.include_router(resources.router(known))
    app.include_router(queries.router(known))
    app.include_router(neo4j.router)
    app.include_router(cypher.router(free, settings))
    app.include_router(jobs.router(is_on=settings.uploads))
    errors.install(app)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)
    protect(app, settings)
    app.add_middleware(Observing, metrics=app.state.metrics)
    app.add_middleware(SecurityHeaders)  # of answers to defects, too
    app.add_middleware(HeadAsGet)  # the outermost
    described = OpenAPI(app, known, store, settings)
    app.openapi = described  # type: ignore[method-assign]  # how FastAPI has another document put in its place
    app.router.routes.insert(0, described.route())  # before FastAPI's own, which knows nothing of keys
    return app
