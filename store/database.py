"""The seam between this package and those above it: a store, opened by URL.

Which database stands behind it shows in `dialect` only.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self
from urllib.parse import urlsplit

from store.bundle import Bundle
from store.errors import UsageError
from store.settings import StoreSettings, read_settings

Progress = Callable[[str, int, int], None]
"""Called with a table's name, the rows done and the rows to do."""

FORMS = "ladybug:PATH, bolt://HOST:PORT, neo4j://HOST:PORT, bolt+s://HOST:PORT or neo4j+s://HOST:PORT"


@dataclass(frozen=True)
class Rows:
    """An answer. Values are str, int, float, bool, None, lists and dicts; a node is a dict of its properties."""

    columns: list[str]
    rows: list[list[Any]]
    truncated: bool


@dataclass(frozen=True)
class LoadReport:
    """What a load did. `already` means that the bundle was stored and nothing was done."""

    bundle: str
    already: bool
    circuits: list[str]
    rows: int


class Store(Protocol):
    """An open store. `run` may be called from several threads."""

    url: str
    dialect: Literal["ladybug", "neo4j"]

    def load(self, bundle: Bundle, progress: Progress | None = None) -> LoadReport:
        """Validate a bundle and store what is not stored yet. Raises BundleError, StoreError."""

    def run(
        self,
        text: str,
        params: Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
        row_limit: int | None = None,
    ) -> Rows:
        """Ask. timeout: seconds. Raises LimitError past the timeout, StoreError for what the database refuses."""

    def delete(self, circuit: str) -> None:
        """Remove a circuit and what only it needed. Raises NotFoundError, StoreError."""

    def delete_matches(self, source: str, target: str) -> None:
        """Remove all matches of one dictionary's features with another's, by uid. Raises NotFoundError, StoreError."""

    def digest(self) -> str:
        """One hash over everything that is stored."""

    def version(self, *, max_age: float = 0) -> str:
        """Another text whenever anything stored may be another. Cheap: it can be asked with every request.

        max_age: seconds ago that will do, for who wants no round trip; what this store object wrote is always seen.
        """

    def close(self) -> None:
        """Give the database back. A closed store can't be used."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *raised: object) -> None: ...


def open_store(url: str, *, read_only: bool = False, settings: StoreSettings | None = None) -> Store:
    """Open a store by its URL. Raises UsageError for a URL that names none, StoreError where it can't be opened."""
    scheme = url.partition(":")[0].lower()
    settings = settings or read_settings()
    if scheme == "ladybug":
        path = url[len("ladybug:") :]
        if not path:
            raise UsageError("the store ladybug: names no path; write ladybug:PATH")
        from store.ladybug import LadybugStore

        return LadybugStore(path, read_only=read_only, settings=settings)
    if re.fullmatch(r"(bolt|neo4j)(\+s|\+ssc)?", scheme) and "://" in url:
        if "@" in url:
            raise UsageError("a store's URL may hold no user or password: they stand in CIRCUITSTORE_NEO4J_USER and "
                             "CIRCUITSTORE_NEO4J_PASSWORD")  # fmt: skip
        try:
            plain = urlsplit(url).port is None or not urlsplit(url).query
        except ValueError:
            plain = False
        if not plain:
            raise UsageError(f"the store's URL has no such port, or more than an address; write {FORMS}")
        from store.neo4j import Neo4jStore

        return Neo4jStore(url, read_only=read_only, settings=settings)
    shown = url.rpartition("@")[2]
    is_path = "://" not in url and (os.sep in url or url.endswith(".lbug"))
    hint = f"did you mean ladybug:{shown}? There are" if is_path else "write"
    raise UsageError(f"{shown!r} is no store; {hint} {FORMS}")
