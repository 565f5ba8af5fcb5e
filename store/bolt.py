"""Neo4j as the adapter sees it: a driver, plain values, errors in our words, and one transaction's reads and writes.

Knows nothing of how a load or a delete is split into transactions; that is `store/neo4j.py`.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import neo4j
import pyarrow as pa
from neo4j.exceptions import AuthError, DriverError, Neo4jError, ServiceUnavailable, SessionExpired

from store.display import displayed, label_of
from store.errors import AwayError, LimitError, StoreError, UsageError
from store.merging import columns_of
from store.schema import Column, Table
from store.settings import StoreSettings
from store.values import SIMPLE, path, properties

logging.getLogger("neo4j").addHandler(logging.NullHandler())  # what matters comes as an error


def connect(url: str, settings: StoreSettings) -> neo4j.Driver:
    """An open driver, tried out. Raises StoreError where nothing answers or the password is refused."""
    try:
        driver = neo4j.GraphDatabase.driver(
            url,
            auth=(settings.neo4j_user, settings.neo4j_password.get_secret_value()),
            connection_timeout=10,
            max_transaction_retry_time=60,
            notifications_min_severity="OFF",
        )
    except (neo4j.exceptions.ConfigurationError, ValueError) as error:
        raise UsageError(f"{url} is no address of a Neo4j: {error}") from None
    try:
        with in_our_words(url):
            driver.verify_connectivity()
    except BaseException:
        driver.close()
        raise
    return driver


@contextmanager
def in_our_words(url: str, timeout: float | None = None) -> Iterator[None]:
    """Turn the driver's errors into ours, without what they hold of the connection's secrets."""
    try:
        yield
    except (AuthError, Neo4jError) as error:
        code = error.code or ""
        if ".Security." in code:
            raise StoreError(f"{url} refused the user or password ({code.rpartition('.')[2]}): set "
                             "CIRCUITSTORE_NEO4J_USER and CIRCUITSTORE_NEO4J_PASSWORD") from None  # fmt: skip
        if "TransactionTimedOut" in code:
            raise LimitError(f"the query took longer than {timeout} s: ask for less") from None
        if code.endswith("DatabaseNotFound"):
            raise StoreError(f"{url}: {error.message}; set CIRCUITSTORE_NEO4J_DATABASE to one that is there") from None
        kind = AwayError if code.startswith("Neo.TransientError.") else StoreError
        raise kind(f"{url}: Neo4j refused: {error.message or code}") from error
    except (ServiceUnavailable, SessionExpired, OSError) as error:
        raise AwayError(f"no Neo4j answers at {url} ({_first_line(error)}): start it, for example with "
                         "`make neo4j` or `docker compose up`, or name another store") from None  # fmt: skip
    except DriverError as error:
        raise StoreError(f"{url}: the Neo4j driver refused: {_first_line(error)}") from error


def plain(value: Any) -> Any:
    """Nodes and relationships become dicts of their properties, paths dicts of nodes and relationships."""
    if type(value) in SIMPLE:
        return value
    if isinstance(value, neo4j.graph.Node):
        return properties(label_of(value.labels), value)
    if isinstance(value, neo4j.graph.Relationship):
        return properties(value.type, value)
    if isinstance(value, neo4j.graph.Path):
        return path(map(plain, value.nodes), map(plain, value.relationships))
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [inner if type(inner) in SIMPLE else plain(inner) for inner in value]
    return str(value)


class BoltTransaction:
    """See `store.transaction.Transaction`. labels: names that labels of the schema have for the time being.

    number: the write transactions of the store up to this one.
    """

    number = 0

    def __init__(self, transaction: neo4j.ManagedTransaction, labels: Mapping[str, str] | None = None) -> None:
        self._transaction = transaction
        self._labels = labels or {}

    def read(self, text: str, columns: Sequence[Column], params: Mapping[str, Any] | None = None) -> pa.Table:
        rows = self._transaction.run(text, dict(params or {})).values(*(column.name for column in columns))
        by_column = zip(*rows, strict=True) if rows else ([] for _ in columns)
        arrays = [
            pa.chunked_array([pa.array(list(values), c.type.arrow)])
            for c, values in zip(columns, by_column, strict=True)
        ]
        return pa.table(arrays, names=[column.name for column in columns])

    def write(self, text: str, params: Mapping[str, Any] | None = None) -> None:
        self.count(text, params)

    def count(self, text: str, params: Mapping[str, Any] | None = None) -> neo4j.SummaryCounters:
        """Run a statement that returns nothing; what it changed."""
        return self._transaction.run(text, dict(params or {})).consume().counters

    def all(self, of: Table) -> pa.Table:
        """A table of the schema as it is stored."""
        if of.is_node:
            return self.read(f"MATCH (n:{of.name}) RETURN {_shown(of.columns)}", of.columns)
        shown = ", ".join(["a.uid AS source, b.uid AS target", *_each(of.properties)])
        return self.read(f"MATCH (a:{of.source})-[n:{of.type}]->(b:{of.target}) RETURN {shown}", of.columns)

    def stored(self, of: Table, keys: pa.Table) -> pa.Table:
        columns = columns_of(of)
        if of.is_node:
            text = f"UNWIND $uid AS uid MATCH (n:{of.name} {{uid: uid}}) RETURN {_shown(columns)}"
        else:
            shown = ", ".join(["$source[i] AS source, $target[i] AS target", *_each(of.properties)])
            text = f"{self._ends(of)} MATCH (a)-[n:{of.type}]->(b) RETURN {shown}"
        return self.read(text, columns, _lists(keys))

    def insert(self, of: Table, rows: pa.Table) -> None:
        for second_label, part in displayed(of, rows):
            self._insert(of, part, second_label)

    def _insert(self, of: Table, rows: pa.Table, second_label: str) -> None:
        lists = _lists(rows)
        keys = () if of.is_node else of.keys[:2]
        values = ", ".join(f"`{name}`: $`{name}`[i]" for name in lists if name not in keys)
        if of.is_node:
            label = self._labels.get(of.name, of.name) + (f":{second_label}" if second_label else "")
            made = self.count(
                f"UNWIND range(0, size($uid) - 1) AS i CREATE (:{label} {{{values}}})", lists
            ).nodes_created
        else:
            text = f"{self._ends(of)} CREATE (a)-[:{of.type} {{{values}}}]->(b)"
            made = self.count(text, lists).relationships_created
        if made != rows.num_rows:
            raise StoreError(f"{rows.num_rows - made} rows of {of.name} lost an end while they were stored: something "
                             "else writes to this Neo4j; delete what it made and load again")  # fmt: skip

    def update(self, of: Table, rows: pa.Table) -> None:
        lists = _lists(rows)
        changed = ", ".join(f"n.`{name}` = $`{name}`[i]" for name in lists if name not in of.keys)
        if of.is_node:
            match = f"UNWIND range(0, size($uid) - 1) AS i MATCH (n:{of.name} {{uid: $uid[i]}})"
        else:
            more = " AND ".join(
                f"coalesce(n.`{key}`, '') = coalesce($`{key}`[i], '')" if key in lists else f"n.`{key}` IS NULL"
                for key in of.keys[2:]
            )
            match = f"{self._ends(of)} MATCH (a)-[n:{of.type}]->(b){' WHERE ' + more if more else ''}"
        if changed:
            self.write(f"{match} SET {changed}", lists)

    def remove(self, of: Table, keys: pa.Table) -> None:
        self.write(f"{self._ends(of)} MATCH (a)-[n:{of.type}]->(b) DELETE n", _lists(keys))

    def _ends(self, of: Table) -> str:
        source, target = (self._labels.get(label, label) for label in (of.source, of.target))
        return (
            "UNWIND range(0, size($source) - 1) AS i "
            f"MATCH (a:{source} {{uid: $source[i]}}) MATCH (b:{target} {{uid: $target[i]}})"
        )


def _lists(rows: pa.Table) -> dict[str, list[Any]]:
    """Columns as lists; those without any value are left out, since a null is stored as nothing."""
    return {name: rows[name].to_pylist() for name in rows.column_names if rows[name].null_count < rows.num_rows}


def _each(columns: Sequence[Column]) -> list[str]:
    return [f"n.`{column.name}` AS `{column.name}`" for column in columns]


def _shown(columns: Sequence[Column]) -> str:
    return ", ".join(_each(columns))


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
