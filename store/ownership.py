"""Where a bundle's relationships lead, and which circuit each of its owned nodes belongs to.

Everything is row numbers of the bundle's node tables, so that checks and roll-ups are array operations.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from store.digest import mapped, ranks
from store.schema import TABLES, Node

Rows = np.ndarray[Any, np.dtype[np.signedinteger[Any]]]


class Ends:
    """Row numbers of a bundle's relationships' ends; -1 where the bundle holds no such node."""

    def __init__(self, table: Callable[[str], pa.Table]) -> None:
        """table: gives a bundle's table by name."""
        self.table = table
        self._ends: dict[str, tuple[Rows, Rows]] = {}

    def __getitem__(self, name: str) -> tuple[Rows, Rows]:
        """Rows of the source's and of the target's node table, per row of the relationship's table."""
        if name not in self._ends:
            table, of = self.table(name), TABLES[name]
            self._ends[name] = (
                self._rows(table["source"], self.table(of.source)["uid"]),
                self._rows(table["target"], self.table(of.target)["uid"]),
            )
        return self._ends[name]

    @staticmethod
    def _rows(column: pa.ChunkedArray, uids: pa.ChunkedArray) -> Rows:
        codes, distinct = ranks(column)
        found = pc.fill_null(pc.index_in(distinct, uids), -1).to_numpy(zero_copy_only=False).astype(np.int32)
        return mapped(found, codes)

    @cached_property
    def owners(self) -> dict[str, Rows]:
        """Per owned label, the row of the circuit that each node belongs to; -1 for none."""
        return {
            "Circuit": np.arange(self.table("Circuit").num_rows, dtype=np.int32),
            "CircuitNode": self._owner("CircuitNode", "IN_CIRCUIT"),
            "Ablation": self._owner("Ablation", "TESTS"),
        }

    def circuits(self, name: str) -> Rows:
        """Per row of a table that circuits own, the row of its circuit; a relationship is its source's."""
        of = TABLES[name]
        return self.owners[name] if of.is_node else mapped(self.owners[of.source], self[name][0])

    @cached_property
    def feature_of(self) -> Rows:
        """Per circuit node, the row of the feature that it is; -1 for none."""
        return self._owner("CircuitNode", "INSTANCE_OF")

    def _owner(self, label: str, relationship: str) -> Rows:
        owner = np.full(self.table(label).num_rows, -1, np.int32)
        source, target = self[relationship]
        owner[source] = target
        return owner


def is_owned(name: str) -> bool:
    """Whether each row of a table belongs to one circuit: a node of its own, or a relationship that leaves one."""
    return not _node(name).shared


def is_evidence(name: str) -> bool:
    """Whether the rows of a table were measured on a circuit, and more of them may come later."""
    return _node(name).evidence


def _node(name: str) -> Node:
    of = TABLES[name]
    node = of.of if of.is_node else TABLES[of.source].of
    assert isinstance(node, Node)
    return node
