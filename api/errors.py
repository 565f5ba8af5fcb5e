"""Every error as a problem document (RFC 9457): `application/problem+json` with type, title, status and detail."""

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.types import Scope

from store.errors import (
    BundleError,
    CircuitstoreError,
    ImportFormatError,
    LimitError,
    NotFoundError,
    StoreError,
    UsageError,
)

_log = logging.getLogger("circuitstore.api")

RETRY_AFTER = 5
"""Seconds after which a client may ask again when the database was away or too slow."""

PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "about:blank: the title says it all."},
        "title": {"type": "string", "description": "The status in words."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What was wrong with which input, and what to do."},
    },
}
"""The JSON schema of a problem document, for OpenAPI."""


class ProblemResponse(Response):
    media_type = "application/problem+json"

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        title = HTTPStatus(status).phrase
        body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        super().__init__(to_json(body), status, headers)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that a route may answer with, for OpenAPI."""
    content = {"application/problem+json": {"schema": PROBLEM}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def install(app: FastAPI) -> None:
    """Makes problem documents of every error that a request can end in, but for defects: see `api/observing.py`."""

    @app.exception_handler(CircuitstoreError)
    async def _ours(request: Request, error: CircuitstoreError) -> Response:
        match error:
            case UsageError() | BundleError() | ImportFormatError():
                return ProblemResponse(400, str(error))
            case NotFoundError():
                return ProblemResponse(404, str(error))
            case StoreError() | LimitError():
                request.app.state.metrics.database_errors.labels(type(error).__name__).inc()
                return ProblemResponse(503, str(error), {"Retry-After": str(RETRY_AFTER)})
        return unexpected(request.scope, error)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        return ProblemResponse(400, f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}")

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        detail, headers = str(error.detail), dict(error.headers or {})
        if detail == HTTPStatus.NOT_FOUND.phrase:  # the router's own words
            detail = f"there is nothing at {request.url.path}: / links to what there is, /docs describes it"
        elif detail == HTTPStatus.METHOD_NOT_ALLOWED.phrase:
            detail = f"{request.method} can't be asked of {request.url.path}: it takes {headers.get('Allow')}"
        return ProblemResponse(error.status_code, detail, headers)


def unexpected(scope: Scope, error: Exception) -> Response:
    """What a client is told of a defect; the log has the rest."""
    route = getattr(scope.get("route"), "path", "none")
    _log.error("%s %s failed", scope["method"], route, exc_info=error)
    return ProblemResponse(500, "The service failed on this request; its log says why.")
