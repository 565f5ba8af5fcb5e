"""A load into Neo4j against the best hand-written `UNWIND`, and against one-map-a-row `MERGE`.

All three store the same rows, FEEDS among them, in batches of the same size, each batch a transaction, uids under
the same constraints. The load also reads and validates the bundle, makes FEEDS, and notes after each batch how far
it is; the hand-written ones find the rows in memory. The server is the one that CIRCUITSTORE_TEST_NEO4J_URI names,
and is emptied; without that one is started from its jars.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import neo4j
import pyarrow as pa

from bench.load_ladybug import tables
from bench.report import compare, heading, seconds
from store import loading
from store.bundle import Bundle, open_bundle, write_bundle
from store.database import open_store
from store.neo4j import BATCH
from store.schema import TABLES, Table
from store.server.neo4j import USER, running
from store.settings import StoreSettings


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--edges", type=int, nargs="+", default=[100_000], help="sizes of the bundle")
    options.add_argument("--repeats", type=int, default=3, help="runs of each, taken in turn")
    given = options.parse_args()
    heading("A bundle into Neo4j, validated, rolled up and resumable, against hand-written statements")
    with tempfile.TemporaryDirectory() as folder, server(Path(folder, "neo4j")) as (url, settings):
        for edges in given.edges:
            bundle = write_bundle(Path(folder, f"bundle-{edges}"), tables(edges), {})
            measure(bundle, url, settings, given.repeats)


@contextmanager
def server(home: Path) -> Iterator[tuple[str, StoreSettings]]:
    named = os.environ.get("CIRCUITSTORE_TEST_NEO4J_URI")
    if named:
        yield named, StoreSettings()
        return
    home.mkdir()
    with running(home) as started:
        yield started.url, StoreSettings(neo4j_user=USER, neo4j_password=started.password)


def measure(bundle: Bundle, url: str, settings: StoreSettings, repeats: int) -> None:
    stored = {name: bundle.table(name) for name in bundle.manifest.tables}
    stored["FEEDS"] = next(
        s for s in loading.steps(bundle, bundle.table("Circuit")["uid"].to_pylist()) if s.how == "add"
    ).rows
    loads: list[float] = []
    unwinds: list[float] = []
    merges: list[float] = []
    auth = (settings.neo4j_user, settings.neo4j_password.get_secret_value())
    with (
        open_store(url, settings=settings) as store,
        neo4j.GraphDatabase.driver(url, auth=auth, notifications_min_severity="OFF") as driver,
    ):
        empty(driver)
        load(driver, stored, unwind)  # warms the server up
        for _ in range(repeats):
            empty(driver)
            loads += seconds(lambda: store.load(open_bundle(bundle.path)))
            empty(driver)
            unwinds += seconds(lambda: load(driver, stored, unwind))
        empty(driver)
        merges += seconds(lambda: load(driver, stored, merge))
        empty(driver)
    rows = sum(table.num_rows for table in stored.values())
    name = f"load, {stored['ATTRIBUTES_TO'].num_rows:,} edges, {rows:,} rows"
    ratio = compare(name, loads, "hand-written UNWIND, parallel lists, CREATE", unwinds)
    print(f"  the load has {ratio:.2f} × the speed of hand-written UNWIND (wanted: 0.8 or more)")
    compare(name, loads, "UNWIND $rows AS row MERGE … SET", merges)


def empty(driver: neo4j.Driver) -> None:
    """Remove everything but the store's own node."""
    with driver.session() as session:
        text = "MATCH (n) WHERE NOT n:Store CALL { WITH n DETACH DELETE n } IN TRANSACTIONS OF 5000 ROWS"
        session.run(text).consume()


def load(driver: neo4j.Driver, stored: dict[str, pa.Table], write: Any) -> None:
    with driver.session() as session:
        for name, table in stored.items():
            for start in range(0, table.num_rows, BATCH):
                rows = table.slice(start, BATCH)
                session.execute_write(write, TABLES[name], rows)


def unwind(transaction: neo4j.ManagedTransaction, of: Table, rows: pa.Table) -> None:
    lists = {name: rows[name].to_pylist() for name in rows.column_names if rows[name].null_count < rows.num_rows}
    values = ", ".join(f"`{name}`: $`{name}`[i]" for name in lists if of.is_node or name not in ("source", "target"))
    if of.is_node:
        text = f"UNWIND range(0, size($uid) - 1) AS i CREATE (:{of.name} {{{values}}})"
    else:
        text = (
            "UNWIND range(0, size($source) - 1) AS i "
            f"MATCH (a:{of.source} {{uid: $source[i]}}) MATCH (b:{of.target} {{uid: $target[i]}}) "
            f"CREATE (a)-[:{of.type} {{{values}}}]->(b)"
        )
    transaction.run(text, lists).consume()


def merge(transaction: neo4j.ManagedTransaction, of: Table, rows: pa.Table) -> None:
    maps = rows.to_pylist()
    if of.is_node:
        text = f"UNWIND $rows AS row MERGE (n:{of.name} {{uid: row.uid}}) SET n += row"
    else:
        sets = ", ".join(f"r.`{column.name}` = row.`{column.name}`" for column in of.properties)
        text = (
            f"UNWIND $rows AS row MATCH (a:{of.source} {{uid: row.source}}) MATCH (b:{of.target} {{uid: row.target}}) "
            f"MERGE (a)-[r:{of.type}]->(b){' SET ' + sets if sets else ''}"
        )
    transaction.run(text, {"rows": maps}).consume()


if __name__ == "__main__":
    main()
