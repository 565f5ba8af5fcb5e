"""Loads, checks and runs the `.cypher` files in the folders beside it.

A query is a file, and its name is its name everywhere: endpoint, command, documentation, test. Where one text can't
serve both databases, `name.ladybug.cypher` or `name.neo4j.cypher` beside it holds the other text, without a header.
Knows nothing of HTTP or terminals.
"""

import time
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from queries.parameters import FirstRow, Parameter, Value
from queries.query import Query
from store.database import Rows, Store
from store.errors import CancelledError, CatalogueError, LimitError, NotFoundError, QueryError

FOLDER = Path(__file__).parent
DIALECTS = ("ladybug", "neo4j")


class Catalogue:
    """The queries by name, in the order of their folders and names."""

    def __init__(self, queries: Mapping[str, Query]) -> None:
        self._queries = dict(queries)
        for query in self:
            for parameter in query.params.values():
                self._check_example(query, parameter)

    def __iter__(self) -> Iterator[Query]:
        return iter(self._queries.values())

    def __getitem__(self, name: str) -> Query:
        """Raises QueryError with the nearest names."""
        if name in self._queries:
            return self._queries[name]
        near = get_close_matches(name, self._queries, 3, 0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(self._queries)}."
        raise QueryError(f"no query {name!r}; {hint} `circuitstore queries` lists all")

    def within(self, hop_limit: int) -> "Catalogue":
        """The same queries, with paths of so many edges at most."""
        return Catalogue({query.name: query.within(hop_limit) for query in self})

    def run(
        self,
        store: Store,
        name: str,
        given: Mapping[str, object] | None = None,
        *,
        timeout: float | None = None,
        row_limit: int | None = None,
    ) -> Rows:
        """The rows of a query. timeout: seconds.

        Raises QueryError (unknown query, bad parameter), NotFoundError (no such uid), LimitError, StoreError.
        """
        query = self[name]
        values = query.arguments(given or {})
        text, bound = query.text(store.dialect, values)
        asked = time.monotonic()
        try:
            fetched = store.run(text, bound, timeout=timeout, row_limit=None if query.function else row_limit)
        except LimitError as error:
            if isinstance(error, CancelledError) or not query.narrowed_by:
                raise
            raise LimitError(f"{error}, by {query.narrowed_by}") from error
        rows = query.rows(fetched, values, row_limit)
        if not rows.rows:
            left = None if timeout is None else max(0.001, timeout - (time.monotonic() - asked))
            self._require_uids(store, query, values, left)
        return rows

    def example(self, store: Store, name: str, found: dict[FirstRow, Value] | None = None) -> dict[str, Value]:
        """Arguments for a call that has an answer in this store: those given explicitly, others keep their default.

        found: what was looked up for other queries, and is not looked up again; it grows. Raises NotFoundError if the
        store holds nothing to show.
        """
        found = {} if found is None else found
        arguments: dict[str, Value] = {}
        for parameter in self[name].params.values():
            example = parameter.example
            if isinstance(example, FirstRow):
                if example not in found:
                    found[example] = self._first(store, example, found)
                arguments[parameter.name] = found[example]
            elif example is not None:
                arguments[parameter.name] = example
        return arguments

    def _first(self, store: Store, example: FirstRow, found: dict[FirstRow, Value]) -> Value:
        rows = self.run(store, example.query, self.example(store, example.query, found))
        column = rows.columns.index(example.column)
        for row in rows.rows:
            if row[column] is not None:
                value: Value = row[column]
                return value
        raise NotFoundError(f"the store holds no example: {example.query} has no {example.column}")

    def _require_uids(self, store: Store, query: Query, values: Mapping[str, Value], timeout: float | None) -> None:
        for parameter in query.params.values():
            uid = values[parameter.name]
            if parameter.label and uid != parameter.default:
                text = f"MATCH (n:{parameter.label} {{uid: $uid}}) RETURN n.uid AS uid"
                if not store.run(text, {"uid": uid}, timeout=timeout).rows:
                    raise NotFoundError(f"no {parameter.label} {uid!r} is stored")

    def _check_example(self, query: Query, parameter: Parameter) -> None:
        example = parameter.example
        if isinstance(example, FirstRow):
            known = self._queries.get(example.query)
            if known is None or example.column not in known.returns:
                raise CatalogueError(f"{query.name}: {parameter.name}: no {example.query}.{example.column} to take")


def load_catalogue(folder: Path) -> Catalogue:
    """Reads every query under a folder. Raises CatalogueError, which names the file and the rule it breaks."""
    queries: dict[str, Query] = {}
    overrides: dict[Path, dict[str, str]] = {}
    files = sorted(folder.glob("*/*.cypher"))
    for path in files:
        name, *dialect = path.name.removesuffix(".cypher").split(".")
        if dialect:
            if len(dialect) > 1 or dialect[0] not in DIALECTS or not (path.parent / f"{name}.cypher").exists():
                raise CatalogueError(f"{path.name}: an override of nothing; expected NAME.ladybug.cypher beside NAME")
            overrides.setdefault(path.parent / name, {})[dialect[0]] = path.read_text()
    for path in files:
        name = path.name.removesuffix(".cypher")
        if "." in name:
            continue
        if name in queries:
            raise CatalogueError(f"{name}: two files have this name")
        queries[name] = Query.parse(name, path.parent.name, path.read_text(), overrides.get(path.parent / name, {}))
    return Catalogue(queries)


@cache
def catalogue() -> Catalogue:
    """The catalogue that comes with the program."""
    return load_catalogue(FOLDER)
