"""What a load does, step by step, whichever the database.

Knows of transactions only what `store/transaction.py` says, and nothing of how a step is split or resumed.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from store.bundle import Bundle
from store.merging import added, merged, split
from store.ownership import Ends, is_evidence, is_owned
from store.rollup import finished, occurrences, roll_up
from store.schema import ANALYSES, TABLES, Column, Table, Type
from store.transaction import Transaction

_COUNT = Column("n", Type.INT, "Number of rows.")


@dataclass(frozen=True)
class Step:
    """Rows that go into one table: `insert` what can't be stored yet, `merge` what may be, `add` to FEEDS."""

    how: Literal["insert", "merge", "add"]
    of: Table
    rows: pa.Table

    def slice(self, start: int, length: int) -> "Step":
        return Step(self.how, self.of, self.rows.slice(start, length))


def steps(bundle: Bundle, circuits: Collection[str]) -> list[Step]:
    """Everything that storing these circuits of a validated bundle takes, what was measured on its others, which are
    stored, and all that no circuit owns.

    The same bundle and circuits give the same steps, so that an interrupted load can go on by number.
    """
    ends = bundle.ends
    wanted = pc.is_in(bundle.table("Circuit")["uid"], pa.array(sorted(circuits), pa.string())).to_numpy()
    planned = [step for name in TABLES if name in bundle.manifest.tables for step in _rows(bundle, ends, name, wanted)]
    rolled_up = [*_occurs_in(bundle, ends, wanted), *_feeds(bundle, ends, wanted)]
    return [step for step in [*planned, *rolled_up] if step.rows.num_rows]


def apply(step: Step, transaction: Transaction, *, was_empty: bool = False) -> bool:
    """Do one step, or a slice of one. Returns whether nothing was in the table.

    was_empty: nothing was in the table when the step's first slice came, and no one else has written since.
    """
    if step.how == "insert" or was_empty or _is_empty(step.of, transaction):
        transaction.insert(step.of, step.rows)
        return True
    new, known, stored = split(step.rows, transaction.stored(step.of, step.rows.select(step.of.keys)), step.of)
    if new.num_rows:
        transaction.insert(step.of, new)
    changed = added(known, stored, 1) if step.how == "add" else merged(known, stored, step.of)
    if changed.num_rows:
        transaction.update(step.of, changed)
    return False


def _rows(bundle: Bundle, ends: Ends, name: str, wanted: np.ndarray) -> Iterator[Step]:
    of, rows = TABLES[name], bundle.table(name)
    if not is_owned(name):
        yield Step("merge", of, rows.append_column("kept", _kept(bundle, ends, name)) if of.is_node else rows)
    elif wanted.all():
        yield Step("insert", of, rows)
    else:
        new = wanted[ends.circuits(name)]
        yield Step("insert", of, rows.filter(pa.array(new)))
        if is_evidence(name) or any(column.may_lack for column in of.columns):
            yield Step("merge", of, rows.filter(pa.array(~new)))  # what was measured since


def _kept(bundle: Bundle, ends: Ends, label: str) -> pa.Array:
    """Nodes that no circuit of the bundle brought: nothing refers to them, or an analysis over features does."""
    n = bundle.table(label).num_rows
    referred, analysed = np.zeros(n, bool), np.zeros(n, bool)
    for name in bundle.manifest.tables:
        of = TABLES[name]
        if of.is_node:
            continue
        if of.target == label:
            (analysed if _is_analysis(of) else referred)[ends[name][1]] = True
        if of.source == label and _is_analysis(of):
            analysed[ends[name][0]] = True
    kept = analysed | ~referred
    return pa.array(np.where(kept, 1, 0), pa.bool_(), mask=~kept)


def _is_analysis(of: Table) -> bool:
    """Whether the relationship says something of a feature (a match, a cluster) rather than what it is made of."""
    return of.of in ANALYSES and not is_owned(of.name)


def _occurs_in(bundle: Bundle, ends: Ends, wanted: np.ndarray) -> Iterator[Step]:
    circuit, feature = ends.owners["CircuitNode"], ends.feature_of
    used = feature >= 0
    if not wanted.all():
        used &= wanted[circuit]
    effect = bundle.table("CircuitNode")["effect"].to_numpy()  # NaN where it is null
    c, f, n_nodes, total = occurrences(circuit[used], feature[used], effect[used])
    columns = {
        "source": bundle.table("Feature")["uid"].take(pa.array(f)),
        "target": bundle.table("Circuit")["uid"].take(pa.array(c)),
        "n_nodes": n_nodes,
        "effect": total,
    }
    yield Step("insert", TABLES["OCCURS_IN"], pa.table(columns))


def _feeds(bundle: Bundle, ends: Ends, wanted: np.ndarray) -> Iterator[Step]:
    source, target = ends["ATTRIBUTES_TO"]
    circuit = ends.owners["CircuitNode"][source]
    f, g = ends.feature_of[source], ends.feature_of[target]
    used = (f >= 0) & (g >= 0)
    if not wanted.all():
        used &= wanted[circuit]
    if used.any():
        weight = bundle.table("ATTRIBUTES_TO")["weight"].to_numpy()
        prompt = pc.equal(bundle.table("Circuit")["aggregation"], "prompt").to_numpy()
        sums = roll_up(circuit[used], f[used], g[used], weight[used], prompt[circuit[used]])
        uid = bundle.table("Feature")["uid"]
        rows = finished(uid.take(pa.array(sums.source)), uid.take(pa.array(sums.target)), sums.columns)
        yield Step("add", TABLES["FEEDS"], rows)


def _is_empty(of: Table, transaction: Transaction) -> bool:
    pattern = f"(n:{of.name})" if of.is_node else f"(:{of.source})-[n:{of.type}]->(:{of.target})"
    counted = transaction.read(f"MATCH {pattern} RETURN count(n) AS n", [_COUNT])
    return bool(counted["n"][0].as_py() == 0)
