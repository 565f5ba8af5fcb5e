"""A reader of the explorer: opens pages in a real browser, waits until they are done, and notes what goes wrong."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, ViewportSize

WIDE, NARROW = ViewportSize(width=1280, height=860), ViewportSize(width=800, height=860)
PATIENCE_S = 30
_QUIET = 3  # pictures
_WRITTEN = """values => import("/explorer/format.js").then(({number}) =>
  values.map(value => typeof value === "number" ? number(value) : value))"""
_PAINTED = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"


class Reader:
    """One tab. `expected`: refusals that a test is about, and which are no fault: statuses, or the network's errors."""

    def __init__(self, page: Page, site: str) -> None:
        self.page = page
        self.site = site
        self.expected: set[int | str] = set()
        self.faults: list[str] = []
        self._waits_for: set[Request] = set()
        self._asked = 0
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.faults.append(f"page error: {error}"))
        page.on("request", self._started)
        page.on("requestfinished", self._finished)
        page.on("requestfailed", self._failed)

    def open(self, path: str) -> Page:
        self.page.goto(self.site + path)
        self.settle()
        return self.page

    def settle(self) -> None:
        """Wait until nothing is being fetched, what was fetched is drawn, and nothing more comes of it."""
        deadline = time.monotonic() + PATIENCE_S
        quiet, asked = 0, -1
        while quiet < _QUIET:
            assert time.monotonic() < deadline, f"still waits for {[one.url for one in self._waits_for]}"
            self.page.evaluate(_PAINTED)
            quiet = 0 if self._waits_for or self._asked != asked else quiet + 1
            asked = self._asked

    def json(self, path: str) -> Any:
        """What a program gets there."""
        answer = self.page.request.get(self.site + path)
        assert answer.ok, f"{path}: {answer.status} {answer.text()}"
        return answer.json()

    def twin(self, within: Locator | None = None) -> Any:
        """The data that the view says it shows."""
        link = (within or self.page.locator("#view")).locator("a.twin", has_text="JSON").first
        path = link.get_attribute("href")
        assert path is not None
        assert "format=json" in path
        return self.json(path)

    def text(self) -> str:
        """All that is shown, with blanks as they are read."""
        return " ".join(self.page.locator("#view").inner_text().split())

    def as_read(self, values: Iterable[Any]) -> list[str]:
        """Texts and numbers as the pages write them."""
        known = [" ".join(value.split()) if isinstance(value, str) else value for value in values if value is not None]
        texts: list[str] = self.page.evaluate(_WRITTEN, known)
        return texts

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(f"{one}" in message.text for one in self.expected):
            self.faults.append(f"console: {message.text} ({message.location})")

    def _started(self, request: Request) -> None:
        self._asked += 1
        self._waits_for.add(request)
        if not request.url.startswith((f"{self.site}/", "data:", "blob:")):
            self.faults.append(f"asks another host: {request.url}")

    def _finished(self, request: Request) -> None:
        self._waits_for.discard(request)

    def _failed(self, request: Request) -> None:
        self._waits_for.discard(request)
        if request.failure not in {"net::ERR_ABORTED", *self.expected}:  # aborted: the page was left meanwhile
            self.faults.append(f"request failed: {request.url} {request.failure}")


Readers = Callable[..., Reader]


@contextmanager
def readers(browser: Browser) -> Iterator[Readers]:
    """Makes readers, and in the end asks whether anything went wrong for one of them."""
    made: list[Reader] = []

    def reader(site: str, **how: Any) -> Reader:
        context = browser.new_context(**{"viewport": WIDE, "color_scheme": "light", "reduced_motion": "reduce", **how})
        made.append(Reader(context.new_page(), site))
        return made[-1]

    try:
        yield reader
    finally:
        for one in made:
            one.page.context.close()
    faults = [fault for one in made for fault in one.faults]
    assert not faults, "\n".join(faults)
