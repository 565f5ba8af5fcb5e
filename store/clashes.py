"""What a bundle says of circuits that are stored, or of their nodes: the same, or the load is refused.

Circuits are never merged, so that what is stored does not depend on which bundle came first.
"""

from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

from store.bundle import Bundle
from store.digest import content_hash, in_order
from store.errors import BundleError
from store.ownership import is_owned
from store.schema import TABLES, Table
from store.transaction import UIDS, Transaction

_OWNER = {
    "Circuit": "MATCH (o:Circuit {uid: $circuit})",
    "CircuitNode": "MATCH (:Circuit {uid: $circuit})<-[:IN_CIRCUIT]-(o:CircuitNode)",
    "Ablation": "MATCH (:Circuit {uid: $circuit})<-[:TESTS]-(o:Ablation)",
}
"""How to find what a circuit owns, by label."""


def new_circuits(bundle: Bundle, transaction: Transaction) -> list[str]:
    """The bundle's circuits that are not stored yet.

    Raises BundleError for the first that is stored with other content (volatile columns may differ), and for a node
    whose uid another circuit has taken.
    """
    uids = bundle.table("Circuit")["uid"].to_pylist()
    if not uids:
        return []
    text = "MATCH (c:Circuit) WHERE c.uid IN $uids RETURN c.uid AS uid"
    stored = set(transaction.read(text, UIDS, {"uids": uids})["uid"].to_pylist())
    _check(bundle, uids, stored, transaction)
    return sorted(set(uids) - stored)


def _check(bundle: Bundle, uids: list[str], stored: Collection[str], transaction: Transaction) -> None:
    for circuit in sorted(stored):
        for name, of in TABLES.items():
            if not is_owned(name):
                continue
            mine = _rows(bundle, name, [uids.index(circuit)])
            if content_hash(in_order(_stored(of, circuit, transaction), of), of) != content_hash(mine, of):
                raise BundleError(f"{bundle.path}: the circuit {circuit} is stored with other content ({name} "
                                  f"differs): `circuitstore delete {circuit}` first, then load again")  # fmt: skip
    new = [row for row, uid in enumerate(uids) if uid not in stored]
    for label in ("CircuitNode", "Ablation"):
        rows = _rows(bundle, label, new)
        taken = transaction.stored(TABLES[label], rows.select(["uid"])) if rows.num_rows else rows
        if taken.num_rows:
            raise BundleError(f"{bundle.path}: the {label} {taken['uid'][0]} is stored already, in another circuit: "
                              "delete that circuit first, or give one of the two another uid")  # fmt: skip


def _rows(bundle: Bundle, name: str, circuits: list[int]) -> pa.Table:
    """A table's rows that these circuits own."""
    return bundle.table(name).filter(pc.is_in(pa.array(bundle.ends.circuits(name)), pa.array(circuits, pa.int64())))


def _stored(of: Table, circuit: str, transaction: Transaction) -> pa.Table:
    holder = "o" if of.is_node else "r"
    shown = [f"{holder}.`{column.name}` AS `{column.name}`" for column in of.properties]
    if of.is_node:
        text = f"{_OWNER[of.name]} RETURN {', '.join(shown)}"
    else:
        ends = ["o.uid AS source", "t.uid AS target"]
        text = f"{_OWNER[of.source]} MATCH (o)-[r:{of.type}]->(t:{of.target}) RETURN {', '.join([*ends, *shown])}"
    return transaction.read(text, of.columns, {"circuit": circuit})
