"""What makes a bundle fit to load. Each refusal names the file, the row and the way out.

All checks are array operations: a million edges take about a second.
"""

from typing import Any, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from store.bundle import MANIFEST, Bundle
from store.digest import blocks, combined_hash, content_hash, mapped, row_keys
from store.errors import BundleError
from store.ownership import Ends
from store.rollup import LARGEST_WEIGHT
from store.schema import TABLES, UID, Relationship, Table, Type

_Flags = np.ndarray[Any, np.dtype[np.bool_]]


def validate(bundle: Bundle) -> None:
    """Raises BundleError for the first thing found wrong."""
    _check_files(bundle)
    for name in bundle.manifest.tables:
        _check_table(bundle, TABLES[name])
    _check_uid(bundle)
    ends = bundle.ends
    for name in bundle.manifest.tables:
        if not TABLES[name].is_node:
            _check_ends(bundle, ends, name)
    for label, relationship in (("CircuitNode", "IN_CIRCUIT"), ("Ablation", "TESTS")):
        _check_one_each(bundle, ends, label, relationship, least=1)
    _check_one_each(bundle, ends, "CircuitNode", "INSTANCE_OF", least=0)
    _check_within_circuits(bundle, ends)
    _check_acyclic(bundle, ends)
    _check_counts(bundle, ends)


def _check_files(bundle: Bundle) -> None:
    manifest = bundle.path / MANIFEST
    for name, entry in bundle.manifest.tables.items():
        of = TABLES.get(name)
        if of is None:
            raise BundleError(f"{manifest}: the schema has no table {name!r}; remove it and write the bundle again")
        if isinstance(of.of, Relationship) and of.of.derived:
            raise BundleError(f"{manifest}: {name} is made by the store and may not be in a bundle; leave it out")
        if entry.file != f"{name}.parquet":
            raise BundleError(f"{manifest}: the file of {name} must be {name}.parquet, not {entry.file!r}")
    expected = {MANIFEST, *(entry.file for entry in bundle.manifest.tables.values())}
    found = {file.name for file in bundle.path.iterdir()}
    for missing in sorted(expected - found):
        raise BundleError(f"{bundle.path / missing} is missing; write the bundle again")
    for unknown in sorted(found - expected):
        raise BundleError(f"{bundle.path / unknown} is not in the manifest; remove it")


def _check_table(bundle: Bundle, of: Table) -> None:
    table = bundle.encoded(of.name)
    entry = bundle.manifest.tables[of.name]
    if table.num_rows != entry.rows:
        raise BundleError(f"{bundle.file(of.name)} has {table.num_rows} rows, the manifest says {entry.rows}; "
                          "write the bundle again")  # fmt: skip
    for column in of.columns:
        values = table[column.name]
        if values.null_count and not column.optional:
            _refuse(bundle, of, _flags(pc.is_null(values)), f"{column.name} is null; it must have a value")
        if column.type is Type.FLOAT:
            _refuse_if(bundle, of, pc.invert(pc.is_finite(values)), f"{column.name} is NaN or infinite")
        if column.type is Type.STRINGS and pc.list_flatten(values).null_count:
            raise BundleError(f"{bundle.file(of.name)}: {column.name} holds a list with a null in it; leave it out")
    if of.is_node:
        wrong = pc.invert(pc.match_substring_regex(table["uid"], f"^{UID.pattern}$"))
        _refuse_if(bundle, of, wrong, f"the uid has characters other than {UID.pattern[1:-2]}")
    elif of.name == "ATTRIBUTES_TO":
        large = pc.greater_equal(pc.abs(table["weight"]), LARGEST_WEIGHT)
        _refuse_if(bundle, of, large, f"the weight is {LARGEST_WEIGHT:,} or more; scale the metric")
    key = row_keys(table, of)
    _refuse_if(bundle, of, np.append(False, key[1:] == key[:-1]), f"another row has the same {', '.join(of.keys)}")
    _refuse_if(bundle, of, np.append(False, key[1:] < key[:-1]), "rows are not in the order of their keys")


def _check_uid(bundle: Bundle) -> None:
    hashes = {name: content_hash(bundle.encoded(name), TABLES[name]) for name in bundle.manifest.tables}
    for name, found in hashes.items():
        if found != bundle.manifest.tables[name].content:
            raise BundleError(f"{bundle.file(name)}: the content's hash is not the manifest's; write the bundle again")
    if combined_hash(hashes) != bundle.uid:
        raise BundleError(f"{bundle.path / MANIFEST}: the uid is not the hash of the content; write the bundle again")


def _check_ends(bundle: Bundle, ends: Ends, name: str) -> None:
    of = TABLES[name]
    for end, label, rows in zip(("source", "target"), (of.source, of.target), ends[name], strict=True):
        _refuse_if(bundle, of, rows < 0, f"its {end} is no {label} of this bundle; add the node or leave the row out")


def _check_one_each(bundle: Bundle, ends: Ends, label: str, relationship: str, *, least: int) -> None:
    count = np.bincount(ends[relationship][0], minlength=bundle.encoded(label).num_rows)
    of = TABLES[label]
    _refuse_if(bundle, of, count > 1, f"it has {relationship} more than once")
    _refuse_if(bundle, of, count < least, f"it has no {relationship}: it must have exactly one")


def _check_within_circuits(bundle: Bundle, ends: Ends) -> None:
    for name in ("ATTRIBUTES_TO", "ABLATES.Ablation-CircuitNode"):
        of = TABLES[name]
        source, target = ends[name]
        apart = mapped(ends.owners[of.source], source) != mapped(ends.owners[of.target], target)
        _refuse_if(bundle, of, apart, "its ends are in two circuits; leave the row out")


def _check_acyclic(bundle: Bundle, ends: Ends) -> None:
    source, target = ends["ATTRIBUTES_TO"]
    layer = bundle.encoded("CircuitNode")["layer"].to_numpy()
    if all(np.all(layer[source[block]] < layer[target[block]]) for block in blocks(len(source))):
        return
    cycle = find_cycle(source, target, len(layer))
    if cycle is not None:
        uids = bundle.encoded("CircuitNode")["uid"].take(pa.array(cycle)).to_pylist()
        shown = " → ".join([*uids[:6], *(["…"] if len(uids) > 6 else []), uids[0]])
        raise BundleError(f"{bundle.file('ATTRIBUTES_TO')}: a circuit must have no cycle; this is one: {shown}")


def find_cycle(source: np.ndarray, target: np.ndarray, n: int) -> list[int] | None:
    """Nodes of one cycle in order, or None. Nodes that nothing enters are peeled off, a level at a time."""
    order = np.argsort(source, kind="stable")
    leaving = target[order]
    start = np.searchsorted(source[order], np.arange(n + 1))
    entering = np.bincount(target, minlength=n)
    level = np.flatnonzero(entering == 0)
    while len(level):
        count = start[level + 1] - start[level]
        edges = np.repeat(start[level] - np.cumsum(count) + count, count) + np.arange(count.sum())
        reached, times = np.unique(leaving[edges], return_counts=True)
        entering[reached] -= times
        level = reached[entering[reached] == 0]
    left = entering > 0
    if not left.any():
        return None
    inside = left[source] & left[target]
    before = np.full(n, -1, np.int64)
    before[target[inside]] = source[inside]  # every node left is entered from one left
    path = [int(np.flatnonzero(left)[0])]
    seen: dict[int, int] = {}
    while path[-1] not in seen:
        seen[path[-1]] = len(path) - 1
        path.append(int(before[path[-1]]))
    return path[seen[path[-1]] : -1][::-1]


def _check_counts(bundle: Bundle, ends: Ends) -> None:
    of = TABLES["Circuit"]
    table = bundle.encoded("Circuit")
    owner = ends.owners["CircuitNode"]
    counted = {"n_nodes": owner, "n_edges": ends.circuits("ATTRIBUTES_TO")}
    for column, circuits in counted.items():
        found = sum((np.bincount(circuits[block], minlength=table.num_rows) for block in blocks(len(circuits))),
                    np.zeros(table.num_rows, np.int64))  # fmt: skip
        _refuse_if(bundle, of, found != table[column].to_numpy(), f"{column} is not what the bundle holds")


def _refuse_if(bundle: Bundle, of: Table, wrong: Any, what: str) -> None:
    flags = _flags(wrong)
    if flags.any():
        _refuse(bundle, of, flags, what)


def _refuse(bundle: Bundle, of: Table, wrong: _Flags, what: str) -> NoReturn:
    row = int(np.flatnonzero(wrong)[0])
    values = bundle.encoded(of.name).slice(row, 1).to_pylist()[0]
    names = " → ".join(str(values[key]) for key in of.keys)
    more = f" ({wrong.sum():,} such rows)" if wrong.sum() > 1 else ""
    raise BundleError(f"{bundle.file(of.name)}: row {row} ({names}): {what}{more}")


def _flags(wrong: Any) -> _Flags:
    if isinstance(wrong, pa.ChunkedArray | pa.Array):
        return np.asarray(pc.fill_null(wrong, False).to_numpy(zero_copy_only=False)
                          if isinstance(wrong, pa.Array) else pc.fill_null(wrong, False).to_numpy(), bool)  # fmt: skip
    return np.asarray(wrong, bool)
