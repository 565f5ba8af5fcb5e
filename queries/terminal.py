"""The terminal: which store is meant, loading into it with what is told of that, and how answers are shown.

Data goes to stdout, all else to stderr. Imports what a function needs only when it runs, so that `--help` and errors
come at once.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from queries.query import Query
    from store.database import Rows, Store


class Format(StrEnum):
    """How data is written; the same names as in `queries.output`."""

    table = "table"
    json = "json"
    csv = "csv"
    ndjson = "ndjson"


@dataclass
class Options:
    """What was said before the command."""

    store: str | None = None
    format: Format = Format.table
    columns: str | None = None


options = Options()


def bundles_in(folder: Path) -> list[Path]:
    """A bundle itself, or those that a folder holds."""
    from store.bundle import MANIFEST

    if (folder / MANIFEST).exists():
        return [folder]
    inside = [path.parent for path in folder.glob(f"*/{MANIFEST}") if not path.parent.name.startswith(".")]
    return sorted(inside) or [folder]


def load(folders: list[Path], tell: bool = True) -> list[str]:
    """Loads bundles and tells what came of each. Returns the uids of the tasks' circuits that they hold."""
    from store.bundle import open_bundle

    bundles = [open_bundle(folder) for folder in folders]
    for bundle in bundles:
        bundle.validate()  # before a store is opened, which may make one
    tasks: list[str] = []
    with opened() as store:
        for bundle in bundles:
            with progress() as told:
                report = store.load(bundle, told)
            n = len(report.circuits)
            loaded = f"{n} circuit{'' if n == 1 else 's'}, {report.rows} rows loaded"
            loaded += ", derived ones among them" if n else ""
            if tell:
                note(f"{bundle.path}: {'was stored already' if report.already else loaded}")
            tasks += [c["uid"] for c in bundle.table("Circuit").to_pylist() if c["aggregation"] == "task"]
    return tasks


def interruptible(ask: "Callable[[], Rows]") -> "Rows":
    """Asks in a thread: a database inside this process would keep Ctrl-C waiting until its query is done."""
    from concurrent.futures import ThreadPoolExecutor

    answer = ThreadPoolExecutor(1).submit(ask)
    try:
        return answer.result()
    except KeyboardInterrupt:
        note("interrupted")
        os._exit(130)  # the thread can't be stopped, and a query leaves nothing half done


def explain(query: "Query", out: Any) -> None:
    words = " ".join(f"{p.name}=…" for p in query.params.values() if p.required)
    lines = [query.summary + (" Runs in Python." if query.runs == "python" else "")]
    lines += ["", f"  circuitstore query {query.name} {words}".rstrip(), "", "Parameters"]
    for p in query.params.values():
        default = "required" if p.required else f"default {p.default!r}" if p.default != "" else "default all"
        lines.append(f"  {p.name:<14} {p.help} {p.allowed()[:1].upper()}{p.allowed()[1:]}; {default}.")
    lines += ["", "Columns", *(f"  {column:<14} {meaning}" for column, meaning in query.returns.items())]
    if query.filled_by:
        lines += ["", f"Filled by {query.filled_by}"]
    print("\n".join(lines), file=out)


def show(columns: list[str], rows: list[list[Any]], truncated: bool = False, limit: str = "a limit") -> None:
    """limit: what cut rows that are truncated."""
    from queries import output
    from store.database import Rows

    answer, chosen = Rows(columns, rows, truncated), _chosen_columns()
    if chosen is not None:
        answer = output.only(answer, chosen)
    form, keep_empty = output.Format(options.format.value), chosen is not None
    output.write(answer, form, sys.stdout, note, keep_empty=keep_empty, limit=limit)


def check_columns(known: list[str]) -> None:
    """Tells a mistake in --columns before anything is done. Raises UsageError."""
    from queries import output

    chosen = _chosen_columns()
    if chosen is not None:
        output.check(chosen, known)


def _chosen_columns() -> list[str] | None:
    return None if options.columns is None else [name.strip() for name in options.columns.split(",")]


def note(text: str) -> None:
    """One line, whatever stands in the names that it quotes."""
    line = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    print(f"circuitstore: {line}", file=sys.stderr)


def store_url() -> str:
    from store.settings import read_settings

    return read_settings().store if options.store is None else options.store


@contextmanager
def opened(*, read_only: bool = False) -> "Iterator[Store]":
    from store.database import open_store

    with closing(open_store(store_url(), read_only=read_only)) as store:
        yield store


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on stderr where that is a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda table, done, total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("loading")
        yield lambda table, done, total: bar.update(task, description=table, completed=done, total=total)
