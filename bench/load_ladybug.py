"""A load into LadybugDB against a raw `COPY` of the same tables.

The load reads the bundle, validates it, rolls FEEDS up, and commits; the raw `COPY` finds all rows in memory, those of
FEEDS too, and checks nothing. Each run starts with an empty store on the same disk. The second comparison
leaves FEEDS out of what is copied.
"""

import argparse
import tempfile
from pathlib import Path

import ladybug
import pyarrow as pa

from bench.report import compare, heading, seconds
from store import ladybug as adapter
from store import loading
from store.bundle import open_bundle, write_bundle
from store.database import open_store
from store.merging import columns_of
from store.schema import TABLES
from tests.graphs import random_tables


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--edges", type=int, nargs="+", default=[100_000, 1_000_000], help="sizes of the bundle")
    options.add_argument("--repeats", type=int, default=3, help="runs of each, taken in turn")
    given = options.parse_args()
    heading("A bundle into LadybugDB, validated and rolled up, against a raw COPY of its tables")
    with tempfile.TemporaryDirectory() as folder:
        for edges in given.edges:
            bundle = Path(folder, f"bundle-{edges}")
            write_bundle(bundle, tables(edges), {})
            measure(bundle, Path(folder), given.repeats)


def tables(edges: int) -> dict[str, pa.Table]:
    """Ten circuits, 20 edges a node, over 1,000 features a dictionary for each 100,000 edges."""
    return random_tables(n_circuits=10, n_nodes=edges // 200, n_edges=edges // 10, n_features=edges // 100, n_layers=8)


def measure(folder: Path, aside: Path, repeats: int) -> None:
    opened = open_bundle(folder)
    rows = {name: opened.table(name) for name in opened.manifest.tables}
    circuits = opened.table("Circuit")["uid"].to_pylist()
    feeds = {step.of.name: step.rows for step in loading.steps(opened, circuits) if step.how == "add"}
    edges = opened.manifest.tables["ATTRIBUTES_TO"].rows
    loads, copies, bare = [], [], []
    for run in range(repeats):
        with open_store(f"ladybug:{aside}/{edges}-{run}.lbug") as ours:
            loads += seconds(lambda: ours.load(open_bundle(folder)))
        copies.append(copy(aside / f"{edges}-{run}-copied.lbug", {**rows, **feeds}))
        bare.append(copy(aside / f"{edges}-{run}-bare.lbug", rows))
    name = f"load, {edges:,} edges, {opened.rows:,} rows, {feeds['FEEDS'].num_rows:,} of FEEDS"
    ratio = compare(name, loads, "raw COPY of the same tables", copies)
    print(f"  the load has {ratio:.2f} × the speed of raw COPY (wanted: 0.5 or more)")
    compare(name, loads, "raw COPY without FEEDS", bare)


def copy(path: Path, rows: dict[str, pa.Table]) -> float:
    """Seconds that raw COPY takes into an empty database with the same tables."""
    with ladybug.Database(path) as database, ladybug.Connection(database) as connection:
        for statement in adapter.ddl():
            connection.execute(statement)
        return seconds(lambda: copy_all(connection, rows))[0]


def copy_all(connection: ladybug.Connection, rows: dict[str, pa.Table]) -> None:
    """Every table of a bundle, in one transaction."""
    connection.execute("BEGIN TRANSACTION")
    for name, table in rows.items():
        of = TABLES[name]
        if of.is_node:
            extra = [column for column in columns_of(of) if column.name not in table.column_names]
            for column in extra:
                table = table.append_column(column.name, pa.nulls(table.num_rows, column.type.arrow))
        pair = f" (from='{of.source}', to='{of.target}')" if "." in name else ""
        connection.execute(f"COPY {of.type} FROM $rows{pair} // {name}", {"rows": table})
    connection.execute("COMMIT")


if __name__ == "__main__":
    main()
