"""What one request may take: seconds over all its statements, rows, and edges of a path."""

import time
from dataclasses import dataclass, field

from store.errors import LimitError


@dataclass(frozen=True)
class Limits:
    """The time runs from when this is made."""

    seconds: float
    rows: int
    hops: int
    _started: float = field(default_factory=time.monotonic)

    def left(self) -> float:
        """Seconds that are left. Raises LimitError when none are."""
        left = self.seconds - (time.monotonic() - self._started)
        if left <= 0:
            raise LimitError(f"the request took longer than {self.seconds} s: ask for less")
        return max(round(left, 3), 0.001)
