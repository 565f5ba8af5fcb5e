"""Stops what a thread has asked of a database, when whoever wanted the answer is gone.

A request says `with within(cancel)`, here or in the thread that starts the one that asks; each store registers, while
it asks, what stops the database. Knows nothing of databases or HTTP.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from store.errors import CancelledError

_EVERY = 0.1
"""Seconds after which a database is told again: LadybugDB forgets what it is told before a query has begun."""


class Cancel:
    """One for each request. `cancel` may be called from any thread, and returns at once."""

    def __init__(self) -> None:
        self.asked = False
        self._lock = threading.Lock()
        self._stop: Callable[[], object] | None = None

    def cancel(self) -> None:
        with self._lock:
            started, self.asked = self.asked, True
            if self._stop is not None and not started:
                threading.Thread(target=self._insist, daemon=True).start()

    @contextmanager
    def stopping(self, stop: Callable[[], object]) -> Iterator[None]:
        """While this is entered, `stop` is what stops. Raises CancelledError, in place of what stopping led to."""
        with self._lock:
            self._require_wanted()
            self._stop = stop
        try:
            yield
        except Exception:
            self._require_wanted()
            raise
        finally:
            with self._lock:  # from here on, another's query is what `stop` would stop
                self._stop = None

    def _require_wanted(self) -> None:
        if self.asked:
            raise CancelledError("nobody waits for the answer any more")

    def _insist(self) -> None:
        pause = threading.Event()
        while True:
            with self._lock:
                if self._stop is None:
                    return
                self._stop()
            pause.wait(_EVERY)


_current: ContextVar[Cancel | None] = ContextVar("cancel", default=None)


@contextmanager
def within(cancel: Cancel) -> Iterator[None]:
    """What is asked in here is stopped by `cancel`."""
    token = _current.set(cancel)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def stopped_by(stop: Callable[[], object]) -> Iterator[None]:
    """For a store: `stop` ends what is asked in here. Raises CancelledError where it had to."""
    cancel = _current.get()
    if cancel is None:
        yield
    else:
        with cancel.stopping(stop):
            yield
