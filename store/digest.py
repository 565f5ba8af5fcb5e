"""Canonical order and canonical hash of a table: a function of its content, however it was stored.

Used for a bundle's content hashes and for a store's digest. Knows nothing of Parquet or of databases.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from store.schema import Column, Table, Type

Codes = np.ndarray[Any, np.dtype[np.int64]]
Numbers = np.ndarray[Any, np.dtype[np.signedinteger[Any]]]

BLOCK = 1 << 20
"""Rows that are looked at together, where what is made of them would be large."""


def blocks(n: int) -> Iterator[slice]:
    """The rows 0 to n, `BLOCK` at a time."""
    return (slice(start, min(start + BLOCK, n)) for start in range(0, n, BLOCK))


def nulls(n: int, kind: pa.DataType) -> pa.ChunkedArray:
    """So many nulls, in the memory of one block."""
    block = pa.nulls(min(n, BLOCK), kind)
    return pa.chunked_array([block[: rows.stop - rows.start] for rows in blocks(n)], kind)


def mapped(values: Numbers, numbers: Numbers) -> Numbers:
    """values[numbers], in blocks: numpy would copy all the numbers as 64 bits first."""
    made = np.empty(len(numbers), values.dtype)
    for block in blocks(len(numbers)):
        made[block] = values[numbers[block]]
    return made


def ranks(column: pa.ChunkedArray | pa.Array) -> tuple[Numbers, pa.Array]:
    """Per row, the rank of its string among the distinct ones (by bytes); and the distinct ones in order."""
    encoded = one(column)
    if not pa.types.is_dictionary(encoded.type):
        encoded = encoded.dictionary_encode()
    indices = encoded.indices.to_numpy(zero_copy_only=False)
    used = np.zeros(len(encoded.dictionary), bool)  # a dictionary may hold more than the rows do
    for block in blocks(len(indices)):
        used[indices[block]] = True
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    order = order[used[order]]
    rank = np.zeros(len(used), np.int32)
    rank[order] = np.arange(len(order))
    return mapped(rank, indices), encoded.dictionary.take(pa.array(order))


def row_keys(table: pa.Table, of: Table) -> Codes:
    """Per row, a number that orders the rows by their key columns, and is equal for equal keys only."""
    key = np.zeros(table.num_rows, np.int64)
    for name in of.keys:
        column = table[name]
        codes, distinct = ranks(pc.fill_null(column, "") if column.null_count else column)
        if len(distinct) and int(key.max(initial=0)) > (2**62) // len(distinct):
            key = np.unique(key, return_inverse=True)[1].astype(np.int64)
        key *= len(distinct)
        key += codes
    return key


def in_order(table: pa.Table, of: Table) -> pa.Table:
    """The rows in the order of their keys."""
    key = row_keys(table, of)
    if np.all(key[1:] >= key[:-1]):
        return table
    return table.take(pa.array(np.argsort(key, kind="stable")))


def content_hash(table: pa.Table, of: Table) -> str:
    """SHA-256 of a table whose rows stand in order. Volatile columns are left out, and late ones that hold nothing."""
    total = hashlib.sha256(f"{of.name} {table.num_rows}\n".encode())
    for column in of.columns:
        if not column.volatile and not (column.is_late and table[column.name].null_count == table.num_rows):
            total.update(f"{column.name} {column.type}\n".encode())
            is_end = not of.is_node and column.name in ("source", "target")
            _hash_column(total, table[column.name], column, as_ranks=is_end)
    return total.hexdigest()


def combined_hash(hashes: Mapping[str, str]) -> str:
    """One hash over the content hashes of many tables; empty tables are to be left out."""
    lines = "".join(f"{name} {hashes[name]}\n" for name in sorted(hashes))
    return hashlib.sha256(lines.encode()).hexdigest()


def _hash_column(total: "hashlib._Hash", values: pa.ChunkedArray, column: Column, *, as_ranks: bool) -> None:
    if as_ranks:  # a uid recurs in many rows: its number is hashed instead
        codes, distinct = ranks(values)
        total.update(codes.astype("<i4", copy=False).data)
        values = pa.chunked_array([distinct])
    for part in _pieces(values):
        total.update(part.is_valid().cast(pa.uint8()).to_numpy(zero_copy_only=False).data)
    if column.type is Type.STRINGS:
        for part in _pieces(values):
            total.update(_lengths(pc.list_value_length(part)))
        values = pc.list_flatten(values)
    if column.type in (Type.STRING, Type.STRINGS):
        for part in _pieces(values):
            total.update(_lengths(pc.binary_length(part)))
        for part in _pieces(values):
            _hash_text(total, part)
    elif column.type is Type.FLOAT:
        for part in _pieces(values):
            numbers = pc.fill_null(part, 0.0).to_numpy(zero_copy_only=False) + 0.0  # -0.0 becomes 0.0
            total.update(numbers.astype("<f8").data)
    else:
        for part in _pieces(values):
            numbers = pc.fill_null(part.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
            total.update(numbers.astype("<i8").data)


def _pieces(values: pa.ChunkedArray) -> Iterator[pa.Array]:
    """A column in blocks."""
    return (chunk[block] for chunk in values.chunks for block in blocks(len(chunk)))


def _lengths(lengths: pa.Array) -> Any:
    return pc.fill_null(lengths.cast(pa.int64()), -1).to_numpy(zero_copy_only=False).astype("<i8").data


def _hash_text(total: "hashlib._Hash", values: pa.Array) -> None:
    valid = values.drop_null().cast(pa.large_binary())
    _, offsets, data = valid.buffers()
    if len(valid):
        bounds = np.frombuffer(offsets, "<i8")[valid.offset : valid.offset + len(valid) + 1]
        total.update(memoryview(data)[int(bounds[0]) : int(bounds[-1])])


def one(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """A column in one piece, which is copied only where it is in many."""
    if isinstance(column, pa.ChunkedArray):
        return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    return column
