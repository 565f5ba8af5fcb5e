"""Shows on stderr what is being done: a bar where a person looks on, a line a step anywhere else."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

console = Console(stderr=True, highlight=False)


class Bar:
    """Counts the parts of one step."""

    def __init__(self, progress: Progress, label: str):
        self._progress = progress
        self._task = progress.add_task(label, total=None)

    def of(self, total: int) -> None:
        """Says how many parts there are."""
        self._progress.update(self._task, total=total)

    def advance(self, parts: int = 1) -> None:
        self._progress.advance(self._task, parts)


@contextmanager
def step(label: str) -> Iterator[Bar]:
    """Shows one step while it lasts, and how long it took."""
    started = time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield Bar(progress, label)
    console.print(f"{label:<44}{time.monotonic() - started:7.1f} s")
