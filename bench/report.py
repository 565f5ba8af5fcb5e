"""How a benchmark measures and how it tells."""

import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime


def heading(title: str) -> None:
    """What was measured, when, where, and by which command: numbers in the docs carry this along."""
    where = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"\n{title}\n{datetime.now(UTC):%Y-%m-%d} · {where} · python -m {_module()}", flush=True)


def seconds(work: Callable[[], object], repeats: int = 1) -> list[float]:
    """Wall-clock seconds of each run."""
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return taken


def compare(name: str, ours: list[float], alternative: str, theirs: list[float]) -> float:
    """Print both medians and how many times faster ours is; return that ratio."""
    mine, other = statistics.median(ours), statistics.median(theirs)
    ratio = other / mine
    print(f"  {name:<44} {mine:10.4f} s\n  {alternative:<44} {other:10.4f} s\n  {'':<44} {ratio:10.2f} ×", flush=True)
    return ratio


def _module() -> str:
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return str(spec.name) if spec else "bench"
