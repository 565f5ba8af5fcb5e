"""Stored circuits as a bundle's tables again; and tables completed with what they refer to.

Asks a store as anyone may; knows nothing of the databases behind it, and nothing of files.
"""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from store.database import Store
from store.errors import NotFoundError
from store.ownership import is_owned
from store.schema import ANALYSES, TABLES, Relationship, Table

_OWNER = {
    "Circuit": "MATCH (o:Circuit) WHERE o.uid IN $circuits",
    "CircuitNode": "MATCH (c:Circuit)<-[:IN_CIRCUIT]-(o:CircuitNode) WHERE c.uid IN $circuits",
    "Ablation": "MATCH (c:Circuit)<-[:TESTS]-(o:Ablation) WHERE c.uid IN $circuits",
}


def circuit_tables(store: Store, circuits: Sequence[str]) -> dict[str, pa.Table]:
    """All that these circuits own. Raises NotFoundError for a circuit that is not stored."""
    given = {"circuits": list(circuits)}
    tables = {name: _owned(store, of, given) for name, of in TABLES.items() if is_owned(name)}
    stored = set(tables["Circuit"]["uid"].to_pylist())
    if missing := [uid for uid in circuits if uid not in stored]:
        raise NotFoundError(f"no circuit {missing[0]!r} is stored; `circuitstore circuits` lists those that are")
    return {name: table for name, table in tables.items() if table.num_rows}


def completed(store: Store, tables: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """The tables, with the stored nodes that they refer to and don't hold, and with what those are made of."""
    held = {name: set(table["uid"].to_pylist()) for name, table in tables.items() if TABLES[name].is_node}
    tables = dict(tables)
    shared = _referred(tables, {})
    while True:
        for name, of in TABLES.items():
            if not of.is_node and not is_owned(name) and _is_part(of):
                tables[name] = _between_shared(store, of, sorted(shared.get(of.source, ())))
        more = _referred(tables, shared)
        if more == shared:
            break
        shared = more
    for label, uids in shared.items():
        uids -= held.get(label, set())
        shown = ", ".join(f"n.`{column.name}`" for column in TABLES[label].columns)
        text = f"MATCH (n:{label}) WHERE n.uid IN $uids RETURN {shown}"
        found = _table(TABLES[label], store.run(text, {"uids": sorted(uids)}).rows if uids else [])
        tables[label] = pa.concat_tables([tables[label], found]) if label in tables else found
    return {name: table for name, table in tables.items() if table.num_rows}


def _is_part(of: Table) -> bool:
    """Whether a relationship between shared nodes says what one is made of."""
    return isinstance(of.of, Relationship) and not of.of.derived and of.of not in ANALYSES


def _owned(store: Store, of: Table, given: dict[str, list[str]]) -> pa.Table:
    if of.is_node:
        text = f"{_OWNER[of.name]} RETURN {', '.join(f'o.`{c.name}`' for c in of.columns)}"
    else:
        ends = ["o.uid", "t.uid", *(f"r.`{column.name}`" for column in of.properties)]
        text = f"{_OWNER[of.source]} MATCH (o)-[r:{of.type}]->(t:{of.target}) RETURN {', '.join(ends)}"
    return _table(of, store.run(text, given).rows)


def _between_shared(store: Store, of: Table, sources: list[str]) -> pa.Table:
    ends = ["a.uid", "b.uid", *(f"r.`{column.name}`" for column in of.properties)]
    text = f"MATCH (a:{of.source})-[r:{of.type}]->(b:{of.target}) WHERE a.uid IN $uids RETURN {', '.join(ends)}"
    return _table(of, store.run(text, {"uids": sources}).rows if sources else [])


def _table(of: Table, rows: list[list[object]]) -> pa.Table:
    names = [column.name for column in of.columns]
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], schema=of.schema)


def _referred(tables: dict[str, pa.Table], known: dict[str, set[str]]) -> dict[str, set[str]]:
    """The shared nodes that relationships lead to, by label."""
    found = {label: set(uids) for label, uids in known.items()}
    for name, table in tables.items():
        of = TABLES[name]
        if not of.is_node and not is_owned(of.target) and table.num_rows:
            found.setdefault(of.target, set()).update(table["target"].to_pylist())
    return found
