"""Puts the small world into stores."""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from store.bundle import Bundle, open_bundle, write_bundle
from store.database import Store
from store.schema import TABLES
from tests.queries.world import Rows, circuit, clustered, dense


def write(folder: Path, world: Rows) -> Bundle:
    tables = {}
    for name, rows in world.items():
        given = {key for row in rows for key in row}
        fields = [pa.field(c.name, c.type.arrow) for c in TABLES[name].columns if c.name in given]
        tables[name] = pa.Table.from_pylist(rows, schema=pa.schema(fields))
    return write_bundle(folder, tables, {})


def write_world(folder: Path, seeds: Iterable[int]) -> list[Path]:
    """A bundle for each circuit."""
    return [write(folder / f"bundle-{seed}", circuit(seed)).path for seed in seeds]


def write_dense(folder: Path) -> Bundle:
    return write(folder, dense())


def load_world(store: Store, folder: Path, seeds: Iterable[int]) -> None:
    for bundle in write_world(folder, seeds):
        store.load(open_bundle(bundle))
    store.load(write(folder / "clustered", clustered()))
