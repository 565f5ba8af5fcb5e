"""Who may ask what, and how often.

On the loopback address whoever reaches the service may do anything that is turned on. Anywhere else each request needs
an API key, in `Authorization: Bearer KEY` or `X-API-Key: KEY`, never in a URL; and a key may ask so many times a
second. Keys' scopes are checked by the routes: see `requires`.
"""

import ipaddress
import math
from dataclasses import dataclass

from fastapi import Request, params
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from api.buckets import Buckets
from api.errors import ProblemResponse
from api.keys import Keys
from api.keys import Scope as KeyScope
from api.settings import Settings
from store.errors import UsageError

PUBLIC = frozenset(
    {"/health", "/ready", "/neo4j/circuits.grass", "/neo4j/guide.html", "/docs", "/redoc", "/openapi.json"}
)
"""Paths that hold nothing of the store: probes, what Neo4j Browser loads by itself, and the documentation, whose
examples are for those with a key."""
DOCUMENTATION = "/static-offline-docs/"
"""Where the files lie that its pages load."""


@dataclass(frozen=True)
class Caller:
    """Who asks. scopes: what their key is for."""

    scopes: frozenset[KeyScope]
    key: str = ""


ANYONE = Caller(frozenset(KeyScope))


def are_required(settings: Settings) -> bool:
    """Whether a request needs a key. Raises UsageError where the settings contradict each other."""
    if not is_loopback(settings.host):
        if settings.require_keys is False:
            raise UsageError(f"CIRCUITSTORE_REQUIRE_KEYS: {settings.host} can be reached from elsewhere, so keys are "
                             "required; --host 127.0.0.1 needs none")  # fmt: skip
        return True
    if settings.require_keys is not None:
        return settings.require_keys
    return not all(is_loopback(name) for name in settings.named_hosts)  # something passes on what others ask


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def keys_for(settings: Settings) -> Keys | None:
    """The keys that requests need, None where they need none. Raises UsageError where there are none to be had."""
    if not are_required(settings):
        return None
    keys = Keys(settings.keys)
    if not keys.all():
        where = settings.host if not is_loopback(settings.host) else "for other hosts"
        raise UsageError(f"serving {where} needs API keys, and {keys.path} holds none: `circuitstore keys add NAME` "
                         "makes one, and --host 127.0.0.1 needs none")  # fmt: skip
    return keys


class Access:
    """Lets in who may ask, and says who it is in `request.state.caller`."""

    def __init__(self, app: ASGIApp, keys: Keys | None, buckets: Buckets | None) -> None:
        self.app = app
        self._keys = keys
        self._buckets = buckets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            refusal = self._refusal(scope)
            if refusal is not None:
                await refusal(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _refusal(self, scope: Scope) -> ProblemResponse | None:
        secret = _secret(scope)
        try:
            key = self._keys.find(secret) if self._keys is not None and secret is not None else None
        except UsageError:
            return ProblemResponse(503, "the service can't read its keys: its operator must see to it")
        if self._buckets is not None:
            client = scope.get("client")
            wait = self._buckets.take(key.id if key else str(client[0] if client else ""))
            if wait > 0:
                detail = f"too many requests: at most {self._buckets.rate:g} a second; wait"
                return ProblemResponse(429, detail, {"Retry-After": str(math.ceil(wait))})
        caller = ANYONE if self._keys is None else Caller(key.scopes, key.id) if key else Caller(frozenset())
        scope.setdefault("state", {})["caller"] = caller
        if self._keys is None or scope["path"] in PUBLIC or scope["path"].startswith(DOCUMENTATION):
            return None
        if key is None:
            detail = "this needs an API key, in the header Authorization: Bearer KEY or X-API-Key: KEY"
            if secret is not None:
                detail = "this key is not known"
            return ProblemResponse(401, detail, {"WWW-Authenticate": 'Bearer realm="circuitstore"'})
        if scope["method"] in ("GET", "HEAD") and KeyScope.read not in key.scopes:
            return _lacks(KeyScope.read)
        return None


class requires(params.Depends):
    """What every route must say that takes more than reading: `dependencies=[requires(Scope.write)]`."""

    def __init__(self, scope: KeyScope) -> None:
        async def check(request: Request) -> None:
            caller: Caller = request.state.caller
            if scope not in caller.scopes:
                raise HTTPException(403, _detail(scope))

        super().__init__(check)


def _secret(scope: Scope) -> str | None:
    """What a request gives as its key."""
    for name, value in scope["headers"]:
        if name == b"x-api-key":
            return str(value.decode("latin-1").strip())
        if name == b"authorization":
            scheme, _, secret = value.decode("latin-1").partition(" ")
            if scheme.lower() == "bearer":
                return str(secret.strip())
    return None


def _lacks(scope: KeyScope) -> ProblemResponse:
    return ProblemResponse(403, _detail(scope))


def _detail(scope: KeyScope) -> str:
    return (
        f"this needs a key with the scope {scope.value}: `circuitstore keys add NAME --scope {scope.value}` makes one "
        "(--scope may be given several times)"
    )
