"""ETags: an answer is another one only where the store, the request or what serves it is another.

So whether it changed is known without asking the database for it.
"""

import hashlib
from collections.abc import Callable

from fastapi import Request
from fastapi.responses import Response

from api.settings import Settings
from store.database import Store

_MOMENT_S = 1.0


def conditional(
    request: Request, store: Store, settings: Settings, kind: str, make: Callable[[dict[str, str]], Response]
) -> Response:
    """What `make` answers, given its headers; or 304 where the client has it.

    kind: what of the request's headers the answer depends on.
    """
    held = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    # Asked before the rows are: what is loaded in between makes the tag too old, never too new. So may a look a moment
    # ago, which spares Neo4j a round trip; but whether the client's is still the answer must be known by now.
    version = store.version(max_age=0 if held != {""} else _MOMENT_S)
    tag = _tag(version, request.app.version, request.url.path, request.url.query, kind, settings)
    headers = {"ETag": tag, "Cache-Control": "no-cache", "Vary": "Accept"}
    if tag.removeprefix("W/") in held:
        return Response(status_code=304, headers=headers)
    return make(headers)


def _tag(version: str, program: str, path: str, query: str, kind: str, settings: Settings) -> str:
    limits = (settings.row_limit, settings.hop_limit)
    made_of = repr((version, program, path, query, kind, limits))
    return f'W/"{hashlib.sha256(made_of.encode()).hexdigest()[:32]}"'  # weak: compression changes the bytes
