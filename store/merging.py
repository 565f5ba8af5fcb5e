"""How two accounts of the same node or relationship become one, whatever comes first.

A null loses against a value. Of two values the larger stays: numbers by size, true over false, texts by bytes,
lists by their first element that differs. So merging is commutative, associative and idempotent.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from store.digest import row_keys
from store.rollup import SUMS, finished
from store.schema import Node, Table, Type, stored_columns


def split(given: pa.Table, stored: pa.Table, of: Table) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Given rows that are not stored; given rows that are; and what is stored of the latter, row by row."""
    both = pa.concat_tables([given.select(of.keys), stored.select(of.keys)])
    key = row_keys(both, of)
    mine, theirs = key[: given.num_rows], key[given.num_rows :]
    order = np.argsort(theirs)
    at = np.searchsorted(theirs[order], mine)
    known = at < len(theirs)
    known[known] = theirs[order][at[known]] == mine[known]
    return given.filter(pa.array(~known)), given.filter(pa.array(known)), stored.take(pa.array(order[at[known]]))


def merged(given: pa.Table, stored: pa.Table, of: Table) -> pa.Table:
    """Rows that are not as stored, merged with what is stored. Both tables are aligned by `split`."""
    changed = np.zeros(given.num_rows, bool)
    columns: dict[str, Any] = {}
    for column in columns_of(of):
        new, old = given[column.name], stored[column.name]
        if column.name in of.keys or new.equals(old):
            columns[column.name] = old
        elif column.type is Type.STRINGS:
            a, b = new.to_pylist(), old.to_pylist()
            larger = [
                max(pair, key=_bytes) if None not in pair else pair[pair[0] is None] for pair in zip(a, b, strict=True)
            ]
            changed |= np.array([x != y for x, y in zip(larger, b, strict=True)], bool)
            columns[column.name] = pa.array(larger, column.type.arrow)
        else:
            larger = (
                pc.max_element_wise(new.cast(pa.uint8()), old.cast(pa.uint8())).cast(pa.bool_())
                if column.type is Type.BOOL
                else pc.max_element_wise(new, old)
            )
            same = pc.fill_null(pc.equal(larger, old), pc.is_null(larger))
            changed |= ~pc.and_(same, pc.equal(pc.is_null(larger), pc.is_null(old))).to_numpy()
            columns[column.name] = larger
    return pa.table(columns).filter(pa.array(changed))


def added(given: pa.Table, stored: pa.Table, sign: int) -> pa.Table:
    """FEEDS as stored plus (or minus) what is given, aligned by `split`."""
    sums = {name: stored[name].to_numpy() + sign * given[name].to_numpy() for name in SUMS}
    with np.errstate(divide="ignore", invalid="ignore"):  # a pair that no circuit has any more is removed by the caller
        return finished(given["source"], given["target"], sums)


def columns_of(of: Table) -> Any:
    """The columns that a table has in a database."""
    return stored_columns(of.of) if isinstance(of.of, Node) else of.columns


def _bytes(texts: list[str]) -> list[bytes]:
    return [text.encode() for text in texts]
