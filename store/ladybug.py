"""LadybugDB: an embedded database, a file on disk. A load or a delete is one transaction, and all or nothing.

One process may have a store open to write; any number may read it meanwhile. A store that was made by opening it goes
again when it is closed, unless something was loaded.
"""

import itertools
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, Self

import ladybug
import pyarrow as pa

from store import clashes, deleting, loading
from store.bundle import Bundle
from store.cancel import stopped_by
from store.database import LoadReport, Progress, Rows
from store.digest import combined_hash, content_hash, in_order
from store.errors import NotFoundError, StoreError
from store.merging import columns_of
from store.schema import (
    BOOKKEEPING,
    NODES,
    RELATIONSHIPS,
    STORE_VERSION,
    TABLES,
    Column,
    Relationship,
    Table,
    stored_columns,
)
from store.settings import StoreSettings
from store.snapshots import Snapshots, in_our_words, lock_of
from store.transaction import UIDS
from store.values import plain_ladybug
from store.version import version

_ROOM_FOR_A_COMMIT = 2**24


class LadybugStore:
    """A store in a file. See `store.database.Store`."""

    dialect: Literal["ladybug", "neo4j"] = "ladybug"

    def __init__(self, path: str, *, read_only: bool, settings: StoreSettings) -> None:
        self.url = f"ladybug:{path}"
        self._path = _real(path)
        if read_only and not self._path.exists():
            raise StoreError(f"nothing is stored in {self._path} yet: run `circuitstore demo`, "
                             "`circuitstore load BUNDLE` or `circuitstore import FILE` first")  # fmt: skip
        self._made: list[Path] = []
        self._version: tuple[object, str] = (None, "")
        self._snapshots = Snapshots(self._path, settings.ladybug_memory * 2**20)
        try:
            if self._path.exists():
                self._check_schema()
            if not read_only:
                missing = [] if self._path.exists() else _missing(self._path)
                with in_our_words(self._path):
                    self._made = missing
                    self._path.parent.mkdir(parents=True, exist_ok=True)
                    self._snapshots.lock()
                if not self._path.exists():
                    self._make_tables()
                    self._made = missing
        except BaseException:
            self.close()
            raise

    def load(self, bundle: Bundle, progress: Progress | None = None) -> LoadReport:
        if self.run("MATCH (b:Bundle {uid: $uid}) RETURN b.uid", {"uid": bundle.uid}).rows:
            return LoadReport(bundle.uid, True, [], 0)
        bundle.validate()
        circuits = bundle.table("Circuit")["uid"].to_pylist()
        size = sum(bundle.table(name).nbytes for name in bundle.manifest.tables)
        with self._transaction(f"loading {bundle.path}", 2 * size) as transaction:
            clashes.check_matches(bundle, transaction)
            inserting = clashes.new_circuits(bundle, transaction)
            steps = loading.steps(bundle, inserting)
            for step in steps:
                loading.apply(step, transaction)
                if progress:
                    progress(step.of.name, step.rows.num_rows, step.rows.num_rows)
            transaction.write("CREATE (:Bundle {uid: $uid, circuits: $circuits})", {
                "uid": bundle.uid, "circuits": circuits or None
            })  # fmt: skip
        return LoadReport(bundle.uid, False, inserting, sum(step.rows.num_rows for step in steps))

    def delete(self, circuit: str) -> None:
        with self._transaction(f"deleting {circuit}") as transaction:
            given = {"circuit": circuit}
            if not transaction.read("MATCH (c:Circuit {uid: $circuit}) RETURN c.uid AS uid", UIDS, given).num_rows:
                raise NotFoundError(f"no circuit {circuit!r} is stored; `circuitstore circuits` lists those that are")
            deleting.take_from_feeds(deleting.share_of_feeds([circuit], transaction), transaction)
            for relationship, label in deleting.OWNED:
                transaction.write(
                    f"MATCH (n:{label})-[:{relationship}]->(c:Circuit {{uid: $circuit}}) DETACH DELETE n", given
                )
            transaction.write("MATCH (c:Circuit {uid: $circuit}) DETACH DELETE c", given)
            for _, pattern in deleting.unreferred():
                transaction.write(f"{pattern} DETACH DELETE n")
            transaction.write("MATCH (b:Bundle) WHERE $circuit IN b.circuits DELETE b", given)

    def delete_matches(self, source: str, target: str) -> None:
        with self._transaction(f"deleting matches of {source}") as transaction:
            deleting.check_matched(source, target, transaction)
            for pattern in (deleting.MATCHES_BETWEEN, deleting.MATCHED_BETWEEN):
                transaction.write(f"{pattern} DELETE r", {"source": source, "target": target})
            transaction.write(deleting.FORGET_BUNDLES)

    def run(
        self,
        text: str,
        params: Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
        row_limit: int | None = None,
    ) -> Rows:
        with in_our_words(self._path, timeout), self._snapshots.connection(text, timeout) as connection:
            connection.set_query_timeout(max(1, round(timeout * 1000)) if timeout else 0)
            with stopped_by(connection.interrupt):
                result = connection.execute(text, dict(params or {}))
            if isinstance(result, list):
                raise StoreError("a query must be one statement")
            with result:
                rows = result.get_all() if row_limit is None else result.get_n(row_limit + 1)
                columns = result.get_column_names()
        truncated = row_limit is not None and len(rows) > row_limit
        plain = [plain_ladybug(row) for row in (rows[:row_limit] if truncated else rows)]
        return Rows(columns, plain, truncated)

    def digest(self) -> str:
        hashes = {}
        with in_our_words(self._path), self._snapshots.connection() as connection:
            transaction = _Transaction(connection)
            for of in TABLES.values():
                rows = transaction.all(of)
                if rows.num_rows:
                    hashes[of.name] = content_hash(in_order(rows, of), of)
        return combined_hash(hashes)

    def version(self, *, max_age: float = 0) -> str:  # no age: a look at the file is all it takes
        stamp = self._snapshots.stamp()
        if stamp is None or stamp != self._version[0]:
            self._version = (stamp, version(self.run))
        return self._version[1]

    def close(self) -> None:
        for path in self._made:
            with suppress(OSError):  # another's, by now
                path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
        self._snapshots.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    @contextmanager
    def _transaction(self, doing: str, size: int = 0) -> Iterator["_Transaction"]:
        """Everything inside happens, or nothing does. size: bytes that it may add."""
        self._check_space(doing, size)
        with in_our_words(self._path), self._snapshots.changing() as connection:
            transaction = _Transaction(connection)
            yield transaction
            transaction.write("MATCH (s:Store {uid: 'store'}) SET s.writes = coalesce(s.writes, 0) + 1")
        self._made = []

    def _make_tables(self) -> None:
        with self._transaction("making the store") as transaction:
            for statement in ddl():
                transaction.write(statement)
            transaction.write("CREATE (:Store {uid: 'store', schema_version: $version})", {"version": STORE_VERSION})

    def _check_schema(self) -> None:
        if ["Store"] not in self.run("CALL show_tables() RETURN name").rows:
            raise StoreError(f"{self._path} is a LadybugDB database of something else: name another path")
        found = self.run("MATCH (s:Store) RETURN s.schema_version").rows[0][0]
        if found != STORE_VERSION:
            way_out = "upgrade circuitstore" if found > STORE_VERSION else "load the bundles into a new store"
            raise StoreError(f"{self._path} has schema version {found}, this program knows {STORE_VERSION}: {way_out}")

    def _check_space(self, doing: str, size: int) -> None:
        """Tell before the work what would end it: the store's copy, what is added, and LadybugDB's log need room."""
        there = self._path.stat().st_size if self._path.exists() else 0
        needed = there + size + _ROOM_FOR_A_COMMIT
        free = shutil.disk_usage(self._path.parent).free
        if free < needed:
            raise StoreError(f"no space left on the disk of {self._path}: {doing} takes up to "
                             f"{needed >> 20} MiB and {free >> 20} MiB are free; free some, and try again")  # fmt: skip


def _real(path: str) -> Path:
    """The file itself where the path is a link: what is renamed into place must not replace the link."""
    given = Path(path).expanduser()
    return given.resolve() if given.is_symlink() else given


def _missing(path: Path) -> list[Path]:
    """The file, what keeps others from writing it, and the folders that are not there yet, innermost first."""
    return [path, lock_of(path), *(folder for folder in path.absolute().parents if not folder.exists())]


def ddl() -> list[str]:
    """The statements that make an empty store."""
    statements = []
    for node in (*NODES, *BOOKKEEPING):
        columns = ", ".join(f"`{column.name}` {column.type}" for column in stored_columns(node))
        statements.append(f"CREATE NODE TABLE {node.label} ({columns}, PRIMARY KEY (uid))")
    for relationship in RELATIONSHIPS:
        ends = [f"FROM {source} TO {target}" for source, target in relationship.endpoints]
        parts = [*ends, *(f"`{column.name}` {column.type}" for column in relationship.columns)]
        statements.append(f"CREATE REL TABLE {relationship.type} ({', '.join(parts)})")
    return statements


class _Transaction:
    """See `store.transaction.Transaction`."""

    _numbers = itertools.count()

    def __init__(self, connection: ladybug.Connection) -> None:
        self._connection = connection

    def read(self, text: str, columns: Sequence[Column], params: Mapping[str, Any] | None = None) -> pa.Table:
        with self._execute(text, params) as result:
            found = result.get_as_arrow(chunk_size=-1)
        return pa.table(
            [found[column.name].cast(column.type.arrow) for column in columns], names=[c.name for c in columns]
        )

    def write(self, text: str, params: Mapping[str, Any] | None = None) -> None:
        self._execute(text, params).close()

    def all(self, of: Table) -> pa.Table:
        """A table of the schema as it is stored."""
        if of.is_node:
            pattern, ends = f"(n:{of.name})", []
        else:
            pattern, ends = f"(a:{of.source})-[n:{of.type}]->(b:{of.target})", ["a.uid AS source", "b.uid AS target"]
        columns = [*ends, *(f"n.`{c.name}` AS `{c.name}`" for c in of.properties)]
        return self.read(f"MATCH {pattern} RETURN {', '.join(columns)}", of.columns)

    def stored(self, of: Table, keys: pa.Table) -> pa.Table:
        columns = columns_of(of)
        shown = ", ".join(f"n.`{c.name}` AS `{c.name}`" for c in (columns if of.is_node else of.properties))
        if of.is_node:
            text = f"LOAD FROM $rows WITH uid AS k MATCH (n:{of.name} {{uid: k}}) RETURN {shown}"
        else:
            shown = ", ".join(["k_source AS source", "k_target AS target", *([shown] if shown else [])])
            text = f"LOAD FROM $rows WITH source AS k_source, target AS k_target MATCH {_between(of)} RETURN {shown}"
        return self.read(text, columns, {"rows": keys})

    def insert(self, of: Table, rows: pa.Table) -> None:
        many = isinstance(of.of, Relationship) and len(of.of.endpoints) > 1
        pair = f" (from='{of.source}', to='{of.target}')" if many else ""
        self.write(f"COPY {of.type} FROM $rows{pair}", {"rows": rows})

    def update(self, of: Table, rows: pa.Table) -> None:
        changed = [column.name for column in columns_of(of) if column.name not in of.keys]
        match = f"(n:{of.name} {{uid: k_uid}})" if of.is_node else _between(of)
        keys = ", ".join(f"`{key}` AS k_{key}" for key in of.keys)
        values = ", ".join(f"`{name}` AS v_{name}" for name in changed)
        more = " AND ".join(f"coalesce(n.`{key}`, '') = coalesce(k_{key}, '')" for key in of.keys[2:])
        where = f" WHERE {more}" if more else ""
        sets = ", ".join(f"n.`{name}` = v_{name}" for name in changed)
        self.write(f"LOAD FROM $rows WITH {keys}, {values} MATCH {match}{where} SET {sets}", {"rows": rows})

    def remove(self, of: Table, keys: pa.Table) -> None:
        text = f"LOAD FROM $rows WITH source AS k_source, target AS k_target MATCH {_between(of)} DELETE n"
        self.write(text, {"rows": keys})

    def _execute(self, text: str, params: Mapping[str, Any] | None) -> ladybug.QueryResult:
        # A connection keeps a plan per text, and a plan keeps the Arrow table it was made for: so no text comes twice.
        result = self._connection.execute(f"{text} // {next(self._numbers)}", dict(params or {}))
        assert isinstance(result, ladybug.QueryResult)
        return result


def _between(of: Table) -> str:
    return f"(:{of.source} {{uid: k_source}})-[n:{of.type}]->(:{of.target} {{uid: k_target}})"
