"""A client that goes away stops what was asked for it."""

import asyncio
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from store.cancel import Cancel, within


class CancelOnDisconnect:
    """Whatever a store is asked for a request, in whichever thread, ends when the client's connection does."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        cancel = Cancel()
        messages: asyncio.Queue[Message] = asyncio.Queue(1)  # one, so that a body comes no faster than it is read

        async def listen() -> None:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    cancel.cancel()
                await messages.put(message)
                if message["type"] == "http.disconnect":
                    return

        listener = asyncio.create_task(listen())

        async def next_message() -> Message:
            if listener.done() and messages.empty():
                return {"type": "http.disconnect"}
            return await messages.get()

        try:
            with within(cancel):
                await self.app(scope, next_message, send)
        finally:
            listener.cancel()
            with suppress(asyncio.CancelledError):
                await listener
