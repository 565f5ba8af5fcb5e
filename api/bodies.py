"""Bodies of requests end at a limit, whether they say their length or not."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ProblemResponse


class BodyLimit:
    def __init__(self, app: ASGIApp, limit: int, others: Mapping[str, int]) -> None:
        """limit: bytes. others: of paths that have a limit of their own."""
        self.app = app
        self._limit = limit
        self._others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self._others.get(scope["path"], self._limit)
        said = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not said.isdigit() or int(said) > limit:
            await ProblemResponse(413, _detail(limit), {"Connection": "close"})(scope, receive, send)
            return
        left = limit

        async def limited() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(413, _detail(limit), {"Connection": "close"})
            return message

        await self.app(scope, limited, send)


def _detail(limit: int) -> str:
    return f"a body has at most {limit} bytes here"
