"""Bundles made for plots: random ones with some tables replaced."""

from pathlib import Path
from typing import Any

import pyarrow as pa

from store.bundle import Bundle, write_bundle
from store.schema import TABLES
from tests.graphs import random_tables

Row = dict[str, Any]


def altered(folder: Path, changes: dict[str, list[Row]] | None = None, **shape: Any) -> Bundle:
    """A random bundle of one task's circuit, if no other shape is said. changes: rows instead of a table's own."""
    tables = random_tables(**({"n_circuits": 1} | shape))
    for name, rows in (changes or {}).items():
        tables[name] = pa.Table.from_pylist(rows, TABLES[name].schema)
    return write_bundle(folder, tables, {"made by": "tests"})


def rows_of(name: str, **shape: Any) -> list[Row]:
    """What `altered` has in a table, if it is not changed."""
    rows: list[Row] = random_tables(**({"n_circuits": 1} | shape))[name].to_pylist()
    return rows


def circuit() -> Row:
    return rows_of("Circuit")[0]


def ablations(*rows: Row) -> dict[str, list[Row]]:
    """Measurements on the circuit of `altered`, instead of its own; what a row leaves out is usual."""
    usual: Row = {
        "baseline": "mean",
        "errors": "ablated",
        "n_nodes": 1,
        "metric": 0.0,
        "split": "held-out",
        "n_pairs": 8,
    }
    made = [usual | {"uid": f"a{number}"} | row for number, row in enumerate(rows)]
    tested = [{"source": row["uid"], "target": circuit()["uid"]} for row in made]
    return {
        "Ablation": made,
        "TESTS": tested,
        "PRODUCED_BY.Ablation-Run": [],
        "FOR_TASK.Ablation-Task": [],
        "ABLATES.Ablation-CircuitNode": [],
        "ABLATES.Ablation-Feature": [],
    }
