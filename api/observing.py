"""What can be seen of the service from outside: a request's id, metrics for Prometheus, and one line of log a request.

No value of a request gets into any of them: a route is named by its template, `/circuits/{uid}`.
"""

import json
import logging
import re
import time
import uuid
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TextIO

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import unexpected

REQUEST_ID = "X-Request-ID"

_log = logging.getLogger("circuitstore.requests")
_request_id: ContextVar[str] = ContextVar("request_id", default="")
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_CLIENT_WENT = 499
"""The status in log and metrics where a client went before it had an answer."""


class Metrics:
    """Of one application: several may run in one process."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.requests = Counter(
            "circuitstore_requests", "Requests answered.", ["method", "route", "status"], registry=registry
        )
        self.seconds = Histogram(
            "circuitstore_request_seconds",
            "From request to the answer's end.",
            ["route"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.in_flight = Gauge("circuitstore_requests_in_flight", "Requests being answered.", registry=registry)
        self.database_errors = Counter(
            "circuitstore_database_errors",
            "Requests that the database failed, or was too slow for.",
            ["error"],
            registry=registry,
        )


class Observing:
    """The middleware around all that knows routes."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(REQUEST_ID.lower().encode(), b"").decode("latin-1")
        request_id = given if _WELL_FORMED.fullmatch(given) else uuid.uuid4().hex
        status = _CLIENT_WENT

        async def with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = request_id
            await send(message)

        token = _request_id.set(request_id)
        started = time.perf_counter()
        self.metrics.in_flight.inc()
        try:
            await self.app(scope, receive, with_id)
        except Exception as error:
            if status != _CLIENT_WENT:  # an answer has begun
                raise
            await unexpected(scope, error)(scope, receive, with_id)
        finally:
            self.metrics.in_flight.dec()
            self._tell(scope, status, time.perf_counter() - started)
            _request_id.reset(token)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "none")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self.metrics.requests.labels(method, route, status).inc()
        self.metrics.seconds.labels(route).observe(seconds)
        _log.info("request", extra={"seen": {
            "method": method, "route": route, "status": status, "ms": round(seconds * 1000, 2)
        }})  # fmt: skip


class JSONLines(logging.Formatter):
    """One JSON object a line, with the id of the request that it is about."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **({"request_id": _request_id.get()} if _request_id.get() else {}),
            **getattr(record, "seen", {}),
            **({"exception": self.formatException(record.exc_info)} if record.exc_info else {}),
        }
        return json.dumps(line, ensure_ascii=False)


def log_to(stream: TextIO, requests: bool) -> None:
    """requests: whether each request is told, or only what goes wrong."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JSONLines())
    for name, level in (("circuitstore", logging.INFO if requests else logging.WARNING), ("uvicorn", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level)
        logger.propagate = False
