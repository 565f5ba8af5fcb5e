"""What an answer may hold: rows, cut where they or their bytes are enough.

Knows nothing of databases.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from store.errors import LimitError, QueryError


@dataclass(frozen=True)
class Limits:
    """timeout: seconds. bytes: of the rows, as JSON."""

    timeout: float
    rows: int
    bytes: int


def collect(rows: Iterable[list[Any]], limits: Limits) -> tuple[list[str], bool]:
    """Rows as JSON texts, and whether some were left off. Raises LimitError where not even one row fits."""
    kept: list[str] = []
    size = 0
    for row in rows:
        if len(kept) == limits.rows:
            return kept, True
        try:
            text = json.dumps(row, default=str)
        except (TypeError, ValueError, RecursionError) as error:
            raise QueryError(f"a value of the answer can't be sent ({error}): return something simpler") from None
        size += len(text)
        if size > limits.bytes:
            if not kept:
                raise LimitError(f"one row has {len(text)} bytes, an answer may have {limits.bytes}: return less of it")
            return kept, True
        kept.append(text)
    return kept, False
