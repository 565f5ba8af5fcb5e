"""The explorer: pages for people at the addresses where programs find JSON, and the files that the pages are made of.

A browser that opens `/circuits/UID` says that it wants HTML, and gets the one page, which asks the same address for
JSON and draws it. So every view has an address, and the data behind it is at that address with `?format=json`. The
pages hold nothing of the store, and need no key.
"""

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ProblemResponse

FOLDER = Path(__file__).parent / "explorer"
FILES = "/explorer"
VIEWS = re.compile(
    "/|/(circuits|compare|ablations|queries|clusterings)|/(circuits|features|clusters|clusterings|queries)/[^/]+"
)
"""Addresses of the views: see `explorer/routes.js`."""

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_HEADERS = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache", "Vary": "Accept"}


class Explorer:
    """Answers what is the explorer's, and passes on the rest."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._files = GZipMiddleware(_Files(directory=FOLDER), minimum_size=1000)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
        elif scope["path"].startswith(f"{FILES}/"):
            inner = {**scope, "path": scope["path"].removeprefix(FILES), "root_path": ""}
            try:
                await self._files(inner, receive, send)
            except HTTPException as error:
                problem = ProblemResponse(error.status_code, f"the explorer has no file {inner['path']}")
                await problem(scope, receive, send)
        elif not VIEWS.fullmatch(scope["path"]):
            await self.app(scope, receive, _or_page(scope, receive, send) if _wants_page(scope) else send)
        elif _wants_page(scope):
            await _page(200)(scope, receive, send)
        else:
            await self.app(scope, receive, _varying(send))


class _Files(StaticFiles):
    """A browser looks at every use whether its copy is still the one: an update is seen at once."""

    def file_response(self, *args: Any, **more: Any) -> Response:
        response = super().file_response(*args, **more)
        response.headers["Cache-Control"] = "no-cache"
        return response


def _wants_page(scope: Scope) -> bool:
    """Programs name JSON or take anything; only browsers name HTML."""
    if "format" in parse_qs(scope["query_string"].decode("latin-1")):
        return False
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])


def _page(status: int) -> FileResponse:
    return FileResponse(FOLDER / "index.html", status_code=status, headers=_HEADERS)


def _or_page(scope: Scope, receive: Receive, send: Send) -> Send:
    """For a person at an address where there is nothing: the page says so, and where to go."""
    is_lost = False

    async def found_or_page(message: Message) -> None:
        nonlocal is_lost
        is_lost |= message["type"] == "http.response.start" and message["status"] == 404
        if not is_lost:
            await send(message)
        elif message["type"] == "http.response.body" and not message.get("more_body"):
            await _page(404)(scope, receive, send)

    return found_or_page


def _varying(send: Send) -> Send:
    """What is kept on the way is not given to who named another form."""

    async def with_header(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if "accept" not in [name.strip().lower() for name in headers.get("vary", "").split(",")]:
                headers.add_vary_header("Accept")
        await send(message)

    return with_header
