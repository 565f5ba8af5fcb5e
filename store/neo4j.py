"""Neo4j over Bolt. A load or a delete is many transactions, each of which also notes how far it is.

Each write transaction first locks the store's own node, so that writers take turns and never deadlock, and then
compares the note with what it expects: whatever was killed, or is done twice at once, each row is stored once.
A circuit has the label `Loading` until all of it is stored, and `Deleting` from the moment its removal begins;
it is a `Circuit`, and so an answer to any query, only in between.
"""

import math
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, Self, TypeVar

import neo4j
import pyarrow as pa

from store import clashes, deleting, loading
from store.bolt import BoltTransaction, connect, in_our_words, plain
from store.bundle import Bundle
from store.cancel import stopped_by
from store.database import LoadReport, Progress, Rows
from store.digest import combined_hash, content_hash, in_order
from store.errors import NotFoundError, StoreError
from store.schema import BOOKKEEPING, NODES, STORE_VERSION, TABLES, Column, Type
from store.settings import StoreSettings
from store.transaction import UIDS
from store.version import version

T = TypeVar("T")

BATCH = 20_000
SEARCHED = {"Feature": ("label", "top_tokens"), "Prompt": ("text", "tokens")}
"""What the full-text index `search` holds, for the query of that name."""
_STEP = Column("step", Type.INT, "Rows done.", optional=True)
_INSERTING = Column("inserting", Type.STRINGS, "Circuits.", optional=True)
_WRITES = Column("writes", Type.INT, "Write transactions.")
_ADDED = Column("added", Type.INT, "Rows.", optional=True)
_ALL_TAKEN = -1
_GIVEN_UP = -1
_MARK = "circuitstore"


class Neo4jStore:
    """A store in a Neo4j server. See `store.database.Store`."""

    dialect: Literal["ladybug", "neo4j"] = "neo4j"

    def __init__(self, url: str, *, read_only: bool, settings: StoreSettings) -> None:
        self.url = url
        self._database = settings.neo4j_database
        self._version = _Version()
        self._driver = connect(url, settings)
        try:
            self._check_schema(read_only)
        except BaseException:
            self._driver.close()
            raise

    def load(self, bundle: Bundle, progress: Progress | None = None) -> LoadReport:
        found = self.run("MATCH (b:Bundle {uid: $uid}) WHERE b.step IS NULL RETURN b.uid", {"uid": bundle.uid})
        if found.rows:
            return LoadReport(bundle.uid, True, [], 0)
        bundle.validate()
        self._finish_deletes()
        inserting, done = self._begin(bundle)
        steps = loading.steps(bundle, inserting)
        rows = sum(step.rows.num_rows for step in steps)
        seen = _Seen()
        while done is not None and done < rows:
            step, start = _step_at(steps, done)
            if start == 0:
                seen = _Seen()
            part = step.slice(start, BATCH)
            done, seen = self._store_part(bundle.uid, part, done, seen)
            if progress:
                progress(step.of.name, start + part.rows.num_rows, step.rows.num_rows)
        self._write(lambda transaction: _finish_load(transaction, bundle.uid, inserting, rows))
        return LoadReport(bundle.uid, False, inserting, rows)

    def delete(self, circuit: str) -> None:
        if self._write(lambda transaction: _give_up(transaction, circuit)):
            if waiting := self._finish_giving_up():
                raise StoreError(f"the load is given up; what it left goes when the load of bundle {waiting} has "
                                 f"ended: {_way_out(waiting)}")  # fmt: skip
            return
        self._finish_deletes(but=circuit)
        self._write(lambda transaction: _begin_delete(transaction, circuit))
        self._finish_delete(circuit)

    def delete_matches(self, source: str, target: str) -> None:
        given = {"source": source, "target": target}

        def begin(transaction: BoltTransaction) -> None:
            _check_no_load(transaction)
            deleting.check_matched(source, target, transaction)
            transaction.write(deleting.FORGET_BUNDLES)

        def end(transaction: BoltTransaction) -> None:  # last: until then other matches of the two are refused
            _check_no_load(transaction)
            transaction.write(f"{deleting.MATCHED_BETWEEN} DELETE r", given)
            transaction.write(deleting.FORGET_BUNDLES)

        self._finish_deletes()
        self._write(begin)
        self._repeat(f"{deleting.MATCHES_BETWEEN} WITH r LIMIT $limit DELETE r", {**given, "limit": BATCH})
        self._write(end)

    def run(
        self,
        text: str,
        params: Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
        row_limit: int | None = None,
    ) -> Rows:
        # Not a managed transaction, which would be tried again for a minute, whatever the time limit.
        mark = secrets.token_hex(8)
        query = neo4j.Query(text, metadata={_MARK: mark}, timeout=max(timeout, 0.001) if timeout else None)
        fetch_size = 1000 if row_limit is None else min(row_limit + 1, 1000)

        def ask() -> Rows:
            with self._driver.session(
                database=self._database, default_access_mode=neo4j.READ_ACCESS, fetch_size=fetch_size
            ) as session:
                result = session.run(query, dict(params or {}))
                records = list(result) if row_limit is None else result.fetch(row_limit + 1)
                truncated = row_limit is not None and len(records) > row_limit
                kept = records[:row_limit] if truncated else records
                rows = [plain(list(record)) for record in kept]
                return Rows(list(result.keys()), rows, truncated)

        with stopped_by(lambda: self._terminate(mark)), in_our_words(self.url, timeout):
            try:
                return ask()
            except neo4j.exceptions.SessionExpired:  # a connection that was idle has ended: a new one may not have
                return ask()

    def _terminate(self, mark: str) -> None:
        """End the transaction of a query, by way of another connection: its own is busy."""
        text = f"SHOW TRANSACTIONS YIELD transactionId, metaData WHERE metaData.{_MARK} = $mark RETURN transactionId"
        with suppress(neo4j.exceptions.Neo4jError, neo4j.exceptions.DriverError):
            for record in self._driver.execute_query(text, mark=mark, database_=self._database).records:
                self._driver.execute_query("TERMINATE TRANSACTIONS $id", id=record[0], database_=self._database)

    def digest(self) -> str:
        for label, what in (("Bundle", "load"), ("Deleting", "delete")):
            found = self.run(f"MATCH (n:{label}) WHERE n.step IS NOT NULL RETURN n.uid").rows
            if found:
                way_out = _way_out(found[0][0]) if what == "load" else f"`circuitstore delete {found[0][0]}` again"
                raise StoreError(f"the {what} of {found[0][0]} is not finished: {way_out}")
        with in_our_words(self.url), self._driver.session(database=self._database, fetch_size=-1) as session:
            return session.execute_read(lambda transaction: _digest(BoltTransaction(transaction)))

    def version(self, *, max_age: float = 0) -> str:
        held, now = self._version, time.monotonic()
        if now - held.at >= max_age:
            writes = self.run("MATCH (s:Store {uid: 'store'}) RETURN s.writes").rows
            text = held.text if writes and writes == held.writes else version(self.run)
            self._version = held = _Version(writes, text, now)
        return held.text

    def close(self) -> None:
        self._driver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def _write(self, work: Callable[[BoltTransaction], T], labels: Mapping[str, str] | None = None) -> T:
        """Do some work in one transaction, alone; again when the server says that trying again will help."""

        def locked(transaction: neo4j.ManagedTransaction) -> T:
            ours = BoltTransaction(transaction, labels)
            ours.write("MATCH (s:Store {uid: 'store'}) SET s.uid = s.uid")  # locks it before it is read
            lock = "MATCH (s:Store {uid: 'store'}) SET s.writes = coalesce(s.writes, 0) + 1 RETURN s.writes AS writes"
            ours.number = ours.read(lock, [_WRITES])["writes"][0].as_py()
            return work(ours)

        try:
            with in_our_words(self.url), self._driver.session(database=self._database) as session:
                return session.execute_write(locked)
        finally:
            self._version = _Version()

    def _begin(self, bundle: Bundle) -> tuple[list[str], int | None]:
        return self._write(lambda transaction: _begin_load(transaction, bundle))

    def _store_part(self, bundle: str, part: loading.Step, done: int, seen: "_Seen") -> tuple[int | None, "_Seen"]:
        """Store rows and note it.

        done: rows of the load that are stored. seen: what the last part of the same step saw. Returns both anew;
        another process may have gone on with the same load, so that `done` is anything, and None at its end.
        """

        def work(transaction: BoltTransaction) -> tuple[int | None, _Seen]:
            added = part.rows.num_rows if part.how == "add" else 0
            given = {"uid": bundle, "done": done, "then": done + part.rows.num_rows, "added": added}
            text = ("MATCH (b:Bundle {uid: $uid}) WHERE b.step = $done "
                    "SET b.step = $then, b.added = coalesce(b.added, 0) + $added")  # fmt: skip
            if not transaction.count(text, given).properties_set:
                return _done(transaction, bundle), _Seen()
            was_empty = seen.empty and transaction.number == seen.number + 1
            empty = loading.apply(part, transaction, was_empty=was_empty)
            return done + part.rows.num_rows, _Seen(empty, transaction.number)

        return self._write(work, {"Circuit": "Loading"} if part.how == "insert" else None)

    def _finish_giving_up(self) -> str:
        """Remove what loads that were given up left. Returns the uid of a load that must end before, or ''.

        Their nodes may still be in no circuit, as are those of any other load: so none may be under way.
        """
        text = f"MATCH (b:Bundle {{step: {_GIVEN_UP}}}) RETURN b.uid, coalesce(b.inserting, [])"
        given_up = self.run(text).rows
        if not given_up:
            return ""
        for bundle, circuits in given_up:
            self._take_back(bundle, circuits)

        def begin(transaction: BoltTransaction) -> str:
            waiting = _unfinished(transaction)
            if not waiting:
                text = "MATCH (c:Loading) SET c:Deleting, c.step = $step REMOVE c:Loading"
                transaction.write(text, {"step": _ALL_TAKEN})
            return waiting

        if waiting := self._write(begin):
            return waiting
        self._finish_deletes(but=None, loads=False)
        some = f"MATCH (b:Bundle {{step: {_GIVEN_UP}}}) WITH count(b) AS some WHERE some > 0"
        loose = [f"MATCH (n:{label}) WHERE NOT EXISTS {{ (n)-[:{of}]->() }}" for of, label in deleting.OWNED]
        for pattern in (*loose, *(pattern for _, pattern in deleting.unreferred())):
            self._repeat(f"{some} {pattern} WITH n LIMIT $limit DETACH DELETE n", {"limit": BATCH // 10})
        self._write(lambda transaction: transaction.write(f"MATCH (b:Bundle {{step: {_GIVEN_UP}}}) DELETE b"))
        return ""

    def _take_back(self, bundle: str, circuits: list[str]) -> None:
        """Subtract from FEEDS what a load that was given up had added, last rows first."""
        text = "MATCH (b:Bundle {uid: $uid}) WHERE b.added > 0 RETURN b.added"
        if not (found := self.run(text, {"uid": bundle}).rows):
            return
        share = self._share(circuits, "Loading")

        def work(transaction: BoltTransaction) -> bool:
            text = f"MATCH (b:Bundle {{uid: $uid, step: {_GIVEN_UP}}}) WHERE b.added > 0 RETURN b.added AS added"
            added = transaction.read(text, [_ADDED], {"uid": bundle})["added"].to_pylist()
            if not added:
                return False
            left: int = max(0, added[0] - BATCH)
            deleting.take_from_feeds(share.slice(left, added[0] - left), transaction)
            transaction.write("MATCH (b:Bundle {uid: $uid}) SET b.added = $left", {"uid": bundle, "left": left})
            return left > 0

        assert found[0][0] <= share.num_rows
        while self._write(work):
            pass

    def _finish_deletes(self, but: str | None = None, *, loads: bool = True) -> None:
        """Go on with deletes that were interrupted, those of loads that were given up among them."""
        if loads:
            self._finish_giving_up()
        for (circuit,) in self.run("MATCH (c:Deleting) WHERE c.uid <> $but RETURN c.uid", {"but": but or ""}).rows:
            self._finish_delete(circuit)

    def _finish_delete(self, circuit: str) -> None:
        given = {"circuit": circuit}
        found = self.run("MATCH (c:Deleting {uid: $circuit}) RETURN c.step", given).rows
        if found and found[0][0] != _ALL_TAKEN:
            self._take_from_feeds(circuit, found[0][0])
        circuit_and_limit = {"circuit": circuit, "limit": BATCH // 10}
        for relationship, label in deleting.OWNED:
            self._repeat(
                f"MATCH (:Deleting {{uid: $circuit}})<-[:{relationship}]-(n:{label}) "
                "WITH n LIMIT $limit DETACH DELETE n",
                circuit_and_limit,
            )
        self._repeat("MATCH (:Deleting {uid: $circuit})-[r]->() WITH r LIMIT $limit DELETE r", circuit_and_limit)
        for _, pattern in deleting.unreferred():
            # Without the circuit the delete is done, and nodes of a load may be waiting for what refers to them.
            self._repeat(
                f"MATCH (:Deleting {{uid: $circuit}}) {pattern} WITH n LIMIT $limit DETACH DELETE n", circuit_and_limit
            )
        self._write(lambda transaction: transaction.write("MATCH (c:Deleting {uid: $circuit}) DETACH DELETE c", given))

    def _take_from_feeds(self, circuit: str, done: int) -> None:
        share = self._share([circuit], "Deleting")
        while done != _ALL_TAKEN:

            def work(transaction: BoltTransaction, done: int = done) -> int:
                then = done + BATCH if done + BATCH < share.num_rows else _ALL_TAKEN
                given = {"circuit": circuit, "done": done, "then": then}
                text = "MATCH (c:Deleting {uid: $circuit}) WHERE c.step = $done SET c.step = $then"
                if transaction.count(text, given).properties_set:
                    deleting.take_from_feeds(share.slice(done, BATCH), transaction)
                    return then
                text = "MATCH (c:Deleting {uid: $circuit}) RETURN c.step AS step"
                found = transaction.read(text, [_STEP], given)["step"].to_pylist()
                return int(found[0]) if found else _ALL_TAKEN

            done = self._write(work)

    def _share(self, circuits: list[str], label: str) -> pa.Table:
        with in_our_words(self.url), self._driver.session(database=self._database, fetch_size=-1) as session:
            return session.execute_read(
                lambda transaction: deleting.share_of_feeds(circuits, BoltTransaction(transaction), label)
            )

    def _repeat(self, text: str, params: Mapping[str, Any]) -> None:
        """Run a limited removal until it finds nothing."""

        def work(transaction: BoltTransaction) -> bool:
            counters = transaction.count(text, params)
            return bool(counters.nodes_deleted or counters.relationships_deleted)

        while self._write(work):
            pass

    def _check_schema(self, read_only: bool) -> None:
        found = self.run("MATCH (s:Store {uid: 'store'}) RETURN s.schema_version").rows
        if found:
            version = found[0][0]
            if version != STORE_VERSION:
                way_out = "upgrade circuitstore" if version > STORE_VERSION else "load the bundles into an empty one"
                raise StoreError(f"{self.url} has schema version {version}, this program knows {STORE_VERSION}: "
                                 f"{way_out}")  # fmt: skip
        elif not read_only:
            with in_our_words(self.url), self._driver.session(database=self._database) as session:
                for statement in ddl():
                    session.run(statement).consume()
                session.run("CALL db.awaitIndexes(300)").consume()
                session.run("MERGE (s:Store {uid: 'store'}) SET s.schema_version = $v", v=STORE_VERSION).consume()


def ddl() -> list[str]:
    """The statements that prepare an empty database: uids are unique, and so indexed; so are texts, by word, the few
    edges that were observed, and those between features by the circuits that they occur in.
    """
    labels = [*(node.label for node in (*NODES, *BOOKKEEPING)), "Loading", "Deleting"]
    of, on = "|".join(SEARCHED), ", ".join(f"n.{name}" for names in SEARCHED.values() for name in names)
    return [
        *(
            f"CREATE CONSTRAINT uid_of_{label} IF NOT EXISTS FOR (n:{label}) REQUIRE n.uid IS UNIQUE"
            for label in labels
        ),
        *(
            f"CREATE INDEX {of.lower()}_by_{name} IF NOT EXISTS FOR ()-[r:{of}]-() ON (r.{name})"
            for of, name in (("ATTRIBUTES_TO", "observed"), ("FEEDS", "n_circuits"), ("FEEDS", "n_prompts"))
        ),
        f"CREATE FULLTEXT INDEX search IF NOT EXISTS FOR (n:{of}) ON EACH [{on}]",
    ]


@dataclass(frozen=True)
class _Version:
    """What a look at the store told, and when: its count of writes, and its version as a text."""

    writes: list[list[Any]] | None = None
    text: str = ""
    at: float = -math.inf


@dataclass(frozen=True)
class _Seen:
    """What a transaction found: whether a table held nothing before this load; and the transaction's number."""

    empty: bool = False
    number: int = 0


def _step_at(steps: list[loading.Step], done: int) -> tuple[loading.Step, int]:
    """The step that the row after `done` rows is in, and its number there."""
    for step in steps:
        if done < step.rows.num_rows:
            return step, done
        done -= step.rows.num_rows
    raise AssertionError("all rows are done")


def _done(transaction: BoltTransaction, uid: str) -> int | None:
    text = "MATCH (b:Bundle {uid: $uid}) RETURN b.step AS step"
    found = transaction.read(text, [_STEP], {"uid": uid})["step"].to_pylist()
    if not found or found[0] == _GIVEN_UP:
        raise StoreError(f"the load of bundle {uid} was given up meanwhile, by a delete: load it again")
    return None if found[0] is None else int(found[0])


def _begin_load(transaction: BoltTransaction, bundle: Bundle) -> tuple[list[str], int | None]:
    """Which circuits the load inserts, and how many of its rows are stored; None when all are."""
    circuits = bundle.table("Circuit")["uid"].to_pylist()
    given = {"uid": bundle.uid, "circuits": circuits}
    mine = transaction.read(
        "MATCH (b:Bundle {uid: $uid}) RETURN b.step AS step, b.inserting AS inserting", [_STEP, _INSERTING], given
    ).to_pylist()
    if mine and mine[0]["step"] != _GIVEN_UP:
        return mine[0]["inserting"] or [], mine[0]["step"]
    given_up = transaction.read(f"MATCH (b:Bundle {{step: {_GIVEN_UP}}}) RETURN b.uid AS uid", UIDS)
    if given_up.num_rows:
        raise StoreError(f"the load of bundle {given_up['uid'][0]} is being given up, which waits for the load of "
                         f"bundle {_unfinished(transaction)}: end that one first")  # fmt: skip
    if transaction.read("MATCH (c:Deleting) RETURN c.uid AS uid", UIDS).num_rows:
        raise StoreError("a circuit is being deleted: load again when that is done")
    other = transaction.read(
        "MATCH (b:Bundle) WHERE b.step IS NOT NULL AND any(c IN b.inserting WHERE c IN $circuits) RETURN b.uid AS uid",
        UIDS,
        given,
    )
    if other.num_rows:
        raise StoreError(f"the load of bundle {other['uid'][0]}, which holds one of these circuits, is not finished: "
                         f"{_way_out(other['uid'][0].as_py())}")  # fmt: skip
    clashes.check_matches(bundle, transaction)
    inserting = clashes.new_circuits(bundle, transaction)
    transaction.write(
        "CREATE (:Bundle {uid: $uid, circuits: $circuits, step: 0, inserting: $inserting})",
        {**given, "inserting": inserting},
    )
    return inserting, 0


def _finish_load(transaction: BoltTransaction, uid: str, inserting: list[str], rows: int) -> None:
    text = "MATCH (b:Bundle {uid: $uid}) WHERE b.step = $rows REMOVE b.step, b.inserting, b.added"
    if transaction.count(text, {"uid": uid, "rows": rows}).properties_set:
        transaction.write("MATCH (c:Loading) WHERE c.uid IN $uids SET c:Circuit REMOVE c:Loading", {"uids": inserting})


def _unfinished(transaction: BoltTransaction) -> str:
    """The uid of a bundle whose load may still go on, or ''."""
    text = "MATCH (b:Bundle) WHERE b.step >= 0 RETURN b.uid AS uid LIMIT 1"
    return "".join(transaction.read(text, UIDS)["uid"].to_pylist())


def _check_no_load(transaction: BoltTransaction) -> None:
    if pending := _unfinished(transaction):
        raise StoreError(f"the load of bundle {pending} is not finished: {_way_out(pending)}")


def _way_out(bundle: str) -> str:
    return f"load it again, or `circuitstore delete {bundle}` gives it up"


def _give_up(transaction: BoltTransaction, uid: str) -> bool:
    """Whether this is a load that is not finished, or a circuit that one inserts: then the load goes on no more."""
    text = "MATCH (b:Bundle) WHERE b.step IS NOT NULL AND (b.uid = $uid OR $uid IN b.inserting) SET b.step = $step"
    return bool(transaction.count(text, {"uid": uid, "step": _GIVEN_UP}).properties_set)


def _begin_delete(transaction: BoltTransaction, circuit: str) -> None:
    given = {"circuit": circuit}
    _check_no_load(transaction)
    if transaction.read("MATCH (c:Deleting {uid: $circuit}) RETURN c.uid AS uid", UIDS, given).num_rows:
        return
    hidden = transaction.count("MATCH (c:Circuit {uid: $circuit}) SET c:Deleting, c.step = 0 REMOVE c:Circuit", given)
    if not hidden.labels_added:
        raise NotFoundError(f"no circuit {circuit!r} is stored; `circuitstore circuits` lists those that are")
    transaction.write("MATCH (b:Bundle) WHERE $circuit IN b.circuits DELETE b", given)


def _digest(transaction: BoltTransaction) -> str:
    hashes = {}
    for of in TABLES.values():
        rows = transaction.all(of)
        if rows.num_rows:
            hashes[of.name] = content_hash(in_order(rows, of), of)
    return combined_hash(hashes)
