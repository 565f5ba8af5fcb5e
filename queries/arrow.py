"""Rows as an Arrow table. A column that carries a name of the schema has its type there, whatever the rows hold."""

import json
from typing import Any

import pyarrow as pa

from store.database import Rows
from store.schema import VOCABULARY


def to_table(rows: Rows) -> pa.Table:
    columns = zip(*rows.rows, strict=True) if rows.rows else ([] for _ in rows.columns)
    arrays = [_array(name, list(values)) for name, values in zip(rows.columns, columns, strict=True)]
    return pa.table(arrays, names=rows.columns)


def to_stream(rows: Rows) -> bytes:
    """The table in Arrow's IPC streaming format."""
    table = to_table(rows)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _array(name: str, values: list[Any]) -> pa.Array:
    """Without a value to tell its type a column is text; values that no Arrow type holds become their JSON text."""
    if name in VOCABULARY:
        kinds = [VOCABULARY[name].arrow, None]
    else:
        kinds = [None] if any(value is not None for value in values) else [pa.string()]
    for kind in kinds:
        try:
            return pa.array(values, kind)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            continue
    return pa.array([None if value is None else json.dumps(value, ensure_ascii=False) for value in values], pa.string())
