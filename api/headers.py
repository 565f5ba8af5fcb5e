"""Headers that tell a browser what a page may do, and those of a request that tell what a browser was made to do."""

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ProblemResponse

_STRICT = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"
_PAGE = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; {scripts}"
    "object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
_OWN = _PAGE.format(scripts="")
_DOCUMENTATION = _PAGE.format(scripts="script-src 'self' 'unsafe-inline'; worker-src 'self' blob:; ")
"""Swagger's page starts by a script in the page itself."""


class SecurityHeaders:
    """Adds them where the answer has none of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                is_page = headers.get("content-type", "").startswith("text/html")
                documents = scope["path"].startswith(("/docs", "/redoc"))
                headers.setdefault(
                    "Content-Security-Policy", (_DOCUMENTATION if documents else _OWN) if is_page else _STRICT
                )
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Referrer-Policy", "no-referrer")
            await send(message)

        await self.app(scope, receive, with_headers)


class KnownHosts:
    """Refuses names that are not the service's: a page elsewhere may have had its own name point here (DNS rebinding).

    So it does what another site's page sends: a browser would send it without asking. An address can't be made to
    point elsewhere, and is always let in.
    """

    def __init__(self, app: ASGIApp, names: Sequence[str], origins: Sequence[str]) -> None:
        """names: beside localhost. origins: of other sites that may send."""
        self.app = app
        self._names = {"localhost", *(name.lower().rstrip(".") for name in names)}
        self._origins = set(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        await (refusal or self.app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> ProblemResponse | None:
        host, origin = "", ""
        for name, value in scope["headers"]:
            if name == b"host":
                host = value.decode("latin-1")
            elif name == b"origin":
                origin = value.decode("latin-1")
        if not self._knows(f"//{host}"):
            return ProblemResponse(421, "the service is not known by this Host: CIRCUITSTORE_HOSTS names those it has")
        ours = not origin or origin in self._origins or origin.partition("//")[2].lower() == host.lower()
        if not ours and scope["method"] not in ("GET", "HEAD", "OPTIONS"):
            return ProblemResponse(403, "another site may not send this; CIRCUITSTORE_CORS_ORIGINS names who may")
        return None

    def _knows(self, url: str) -> bool:
        try:
            name = (urlsplit(url).hostname or "").rstrip(".")
        except ValueError:
            return False
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True
