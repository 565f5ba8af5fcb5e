"""Puts the small world into stores."""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from store.bundle import open_bundle, write_bundle
from store.database import Store
from store.schema import TABLES
from tests.queries.world import circuit


def write_world(folder: Path, seeds: Iterable[int]) -> list[Path]:
    """A bundle for each circuit."""
    bundles = []
    for seed in seeds:
        bundle = folder / f"bundle-{seed}"
        tables = {}
        for name, rows in circuit(seed).items():
            given = {key for row in rows for key in row}
            fields = [pa.field(c.name, c.type.arrow) for c in TABLES[name].columns if c.name in given]
            tables[name] = pa.Table.from_pylist(rows, schema=pa.schema(fields))
        write_bundle(bundle, tables, {})
        bundles.append(bundle)
    return bundles


def load_world(store: Store, folder: Path, seeds: Iterable[int]) -> None:
    for bundle in write_world(folder, seeds):
        store.load(open_bundle(bundle))
