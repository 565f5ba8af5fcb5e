"""What a bundle says of circuits that are stored, of their nodes, or of matches: the same, or the load is refused.

What was measured on a circuit may be more than is stored of it, but never something else. So what is stored does not
depend on which bundle came first.
"""

from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

from store.bundle import Bundle
from store.digest import content_hash, in_order
from store.errors import BundleError
from store.merging import split
from store.ownership import is_evidence, is_owned
from store.schema import TABLES, Table
from store.transaction import UIDS, Transaction


def check_matches(bundle: Bundle, transaction: Transaction) -> None:
    """Raises BundleError where two dictionaries are stored as matched with other settings: both would be mixed."""
    of = TABLES["MATCHED"]
    rows = bundle.table(of.name)
    if not rows.num_rows:
        return
    _, given, stored = split(rows, transaction.stored(of, rows.select(of.keys)), of)
    for mine, theirs in zip(given.to_pylist(), stored.to_pylist(), strict=True):
        if None not in (mine["params"], theirs["params"]) and mine["params"] != theirs["params"]:
            raise BundleError(f"{bundle.path}: {mine['source']} and {mine['target']} are stored as matched by "
                              f"{mine['method']} with other settings: {way_out(mine['source'], mine['target'])} first, "
                              "then load again")  # fmt: skip


def way_out(source: str, target: str) -> str:
    """How to be rid of stored matches."""
    return f"`circuitstore delete --matches {source} {target}`"


_OWNER = {
    "Circuit": "MATCH (o:Circuit {uid: $circuit})",
    "CircuitNode": "MATCH (:Circuit {uid: $circuit})<-[:IN_CIRCUIT]-(o:CircuitNode)",
    "Ablation": "MATCH (:Circuit {uid: $circuit})<-[:TESTS]-(o:Ablation)",
}
"""How to find what a circuit owns, by label."""


def new_circuits(bundle: Bundle, transaction: Transaction) -> list[str]:
    """The bundle's circuits that are not stored yet.

    Raises BundleError for the first that is stored with other content (volatile columns may differ, and evidence that
    one of the two lacks), and for a node whose uid another circuit has taken.
    """
    uids = bundle.table("Circuit")["uid"].to_pylist()
    if not uids:
        return []
    text = "MATCH (c:Circuit) WHERE c.uid IN $uids RETURN c.uid AS uid"
    stored = set(transaction.read(text, UIDS, {"uids": uids})["uid"].to_pylist())
    _check(bundle, uids, stored, transaction)
    return sorted(set(uids) - stored)


def _check(bundle: Bundle, uids: list[str], stored: Collection[str], transaction: Transaction) -> None:
    more = []
    for circuit in sorted(stored):
        for name, of in TABLES.items():
            if not is_owned(name):
                continue
            mine, theirs = _rows(bundle, name, [uids.index(circuit)]), in_order(_stored(of, circuit, transaction), of)
            if name == "Ablation" and mine.num_rows:
                more.append(split(mine, theirs, of)[0])
            if not _agree(mine, theirs, of):
                raise BundleError(f"{bundle.path}: the circuit {circuit} is stored with other content ({name} "
                                  f"differs): `circuitstore delete {circuit}` first, then load again")  # fmt: skip
    new = [row for row, uid in enumerate(uids) if uid not in stored]
    for label in ("CircuitNode", "Ablation"):
        rows = pa.concat_tables([_rows(bundle, label, new), *(more if label == "Ablation" else [])])
        taken = transaction.stored(TABLES[label], rows.select(["uid"])) if rows.num_rows else rows
        if taken.num_rows:
            raise BundleError(f"{bundle.path}: the {label} {taken['uid'][0]} is stored already, in another circuit: "
                              "delete that circuit first, or give one of the two another uid")  # fmt: skip


def _agree(given: pa.Table, stored: pa.Table, of: Table) -> bool:
    """Whether two accounts of a circuit's rows differ in nothing but in what one of them may lack."""
    if is_evidence(of.name):
        _, given, stored = split(given, stored, of) if given.num_rows else (given, given, given)
    if given.num_rows != stored.num_rows:
        return False
    for place, column in enumerate(of.columns):
        if column.may_lack:
            both = pc.and_(pc.is_valid(given[column.name]), pc.is_valid(stored[column.name]))
            nothing = pa.scalar(None, column.type.arrow)
            given, stored = (
                table.set_column(place, column.name, pc.if_else(both, table[column.name], nothing))
                for table in (given, stored)
            )
    return content_hash(given, of) == content_hash(stored, of)


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
