"""What stands between a client and the routes, outermost first in the order of a request:

known hosts, the explorer's pages, other sites that may ask (CORS), keys and rates, clients that go, sizes of bodies.
"""

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from api.access import Access, keys_for
from api.bodies import BodyLimit
from api.buckets import Buckets
from api.disconnecting import CancelOnDisconnect
from api.headers import KnownHosts
from api.pages import Explorer
from api.routes.jobs import UPLOADS
from api.settings import Settings


def protect(app: FastAPI, settings: Settings) -> None:
    """Raises UsageError where the settings want keys and there are none."""
    keys = keys_for(settings)
    rate = (100.0 if keys else 0.0) if settings.rate_limit is None else settings.rate_limit
    origins = settings.named_origins
    uploads = dict.fromkeys(UPLOADS, settings.upload_limit * 2**20)
    app.add_middleware(BodyLimit, limit=settings.body_limit, others=uploads)
    app.add_middleware(CancelOnDisconnect)
    app.add_middleware(Access, keys=keys, buckets=Buckets(rate) if rate else None)
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "HEAD", "POST", "DELETE"],
            allow_headers=["Authorization", "X-API-Key", "Content-Type", "If-None-Match"],
            expose_headers=["ETag", "Link", "Retry-After", "X-Request-ID"],
        )
    app.add_middleware(Explorer)
    app.add_middleware(KnownHosts, names=[settings.host, *settings.named_hosts], origins=origins)
