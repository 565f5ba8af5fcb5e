"""Runs the service until it is told to stop."""

import errno
import gc
import math
import socket
import sys
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.observing import log_to
from api.settings import Settings
from store.database import Store
from store.errors import CircuitstoreError


def serve(store: Store, settings: Settings, note: Callable[[str], None]) -> None:
    """Serves until SIGINT or SIGTERM. note: told where, once connections are taken."""
    app = create_app(store, settings)
    log_to(sys.stderr, settings.log_requests)
    gc.collect()
    gc.freeze()  # what is there now stays: looking through it again and again would hold requests up for 100 ms
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=math.ceil(settings.time_limit) + 1,  # what is asked by then is answered
        timeout_keep_alive=75,  # a busy client comes back late: closing just then would be an error to it
        proxy_headers=bool(settings.proxies),  # uvicorn would believe whoever asks from this machine
        forwarded_allow_ips=settings.proxies or None,
    )
    with _listen(settings.host, settings.port) as listener:
        host, port = listener.getsockname()[:2]
        try:  # from here on Ctrl-C is how it ends
            note(f"serving {store.url} at http://{f'[{host}]' if ':' in host else host}:{port}/ (Ctrl-C stops)")
            _Server(config, app).run(sockets=[listener])
        except KeyboardInterrupt:
            note("stopped")


class _Server(uvicorn.Server):
    """Lets those go, when it is to end, who wait for what may take long: it ends when all are gone."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._app.state.jobs is not None:
            self._app.state.jobs.is_closing = True
        super().handle_exit(sig, frame)


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket. Its protocol is named, or asyncio leaves Nagle on and each answer waits 40 ms."""
    listener = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, proto=socket.IPPROTO_TCP)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
        return listener
    except OSError as error:
        if listener is not None:
            listener.close()
        ours = isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL
        way_out = "--host takes an address of this machine" if ours else "--port takes another"
        raise CircuitstoreError(f"can't listen at {host}:{port}: {error.strerror}; {way_out}") from None
