"""A real service at a port, and a real Chromium to look at it with."""

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from playwright.sync_api import Browser, sync_playwright

from api.app import create_app
from api.settings import Settings
from store.database import Store
from tests.conftest import no_skip_in_ci

HOST = "127.0.0.1"
_QUIET = ("--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
          "--disable-component-update", "--disable-sync")  # fmt: skip


@contextmanager
def chromium() -> Iterator[Browser]:
    """A process can have one at a time."""
    program = shutil.which("chromium")
    if program is None:
        no_skip_in_ci("no chromium to look at pages with: install it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_QUIET))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def listening(store: Store, port: int = 0, settings: Settings | None = None) -> Iterator[str]:
    """The service's address. port: 0 for any that is free."""
    config = uvicorn.Config(create_app(store, settings), host=HOST, port=port, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        yield f"http://{HOST}:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
