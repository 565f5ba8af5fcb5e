"""Token buckets: how often somebody may ask. Knows nothing of HTTP."""

import time
from collections.abc import Callable

_MANY = 10_000


class Buckets:
    """One bucket for each name, filled at a rate, that holds two seconds' worth."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        """rate: a second."""
        self.rate = rate
        self._full = max(1.0, 2 * rate)
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, name: str) -> float:
        """0 where one was there to take; else the seconds until one is."""
        now = self._clock()
        level, at = self._buckets.get(name, (self._full, now))
        level = min(self._full, level + (now - at) * self.rate)
        if level < 1:
            return (1 - level) / self.rate
        if len(self._buckets) >= _MANY:
            self._forget_full(now)
        self._buckets[name] = (level - 1, now)
        return 0.0

    def _forget_full(self, now: float) -> None:
        """A full bucket is as good as none. Where none is full, the oldest goes."""
        full = [n for n, (level, at) in self._buckets.items() if level + (now - at) * self.rate >= self._full]
        for name in full or [next(iter(self._buckets))]:
            del self._buckets[name]
