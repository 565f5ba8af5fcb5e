"""What plots read of a bundle. Knows nothing of how it is drawn."""

from collections.abc import Iterator
from math import isfinite
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from store.bundle import Bundle

Row = dict[str, Any]


class Tables:
    """A bundle's rows. A number that is not finite is none: it is null like one that was not measured."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle

    def rows(self, name: str) -> list[Row]:
        return list(_rows(self._bundle.table(name)))

    def targets(self, name: str) -> dict[str, str]:
        """Where the relationships of a table lead, by their source."""
        ends = self._bundle.table(name)
        return dict(zip(ends["source"].to_pylist(), ends["target"].to_pylist(), strict=True))

    def circuits(self) -> list[Row]:
        """Those of tasks, or where there are none, those of prompts."""
        every = self.rows("Circuit")
        return [circuit for circuit in every if circuit["aggregation"] == "task"] or every

    def metric(self, circuit: str) -> str:
        """What the metric is, in a sentence; nothing where the circuit has no task. circuit: its uid."""
        task = self.targets("FOR_TASK.Circuit-Task").get(circuit)
        said = [row["metric"] for row in self.rows("Task") if row["uid"] == task]
        return f"Metric: {said[0]}. " if said else ""

    def nodes(self, circuit: str) -> list[Row]:
        """The nodes of a circuit, by its uid."""
        return list(_rows(self._owned("CircuitNode", "IN_CIRCUIT", circuit)))

    def ablations(self, circuit: str) -> list[Row]:
        """What was measured on a circuit, by its uid: on held-out pairs if it was on any."""
        every = list(_rows(self._owned("Ablation", "TESTS", circuit)))
        return [row for row in every if row["split"] == "held-out"] or every

    def observed_edges(self, circuit: str) -> list[Row]:
        edges = self._bundle.table("ATTRIBUTES_TO")
        observed = edges.filter(pc.is_valid(edges["observed"]))
        within = self._owned("CircuitNode", "IN_CIRCUIT", circuit)["uid"]
        return [row for row in _rows(_where(observed, "source", within)) if row["observed"] is not None]

    def _owned(self, name: str, relationship: str, circuit: str) -> pa.Table:
        ends = self._bundle.table(relationship)
        return _where(self._bundle.table(name), "uid", ends.filter(pc.equal(ends["target"], circuit))["source"])


def site(circuit: str, node: Row) -> str:
    """attn or mlp where a node is of a dictionary there; empty for the residual stream. circuit: its uid."""
    kind = str(node["uid"]).removeprefix(f"{circuit}:").partition(":")[0]
    return kind.removesuffix(str(node["kind"])).rstrip("-")


def node_name(circuit: str, node: Row) -> str:
    """A node in a word or two, as queries label it: 8:2235 @subject."""
    if node["kind"] in ("metric", "logit") and node["position"] is None:
        return str(node["kind"])
    place = f"{node['layer']}{'.' + found if (found := site(circuit, node)) else ''}"
    what = f"{place}:{node['index']}" if node["kind"] == "feature" else f"{node['kind']} {place}"
    where = position_name(node)
    return (f"{what} @{where}" if where else what).replace("token -1", "token")


def position_name(node: Row) -> str:
    """subject, last …, or the number where a position has no name; empty where a node has no position."""
    return "" if node["position"] is None else str(node["token"] or "").strip() or str(node["position"])


def _where(table: pa.Table, column: str, values: pa.ChunkedArray) -> pa.Table:
    return table.filter(pc.is_in(table[column], value_set=values.combine_chunks()))


def _rows(table: pa.Table) -> Iterator[Row]:
    for row in table.to_pylist():
        yield {key: None if isinstance(value, float) and not isfinite(value) else value for key, value in row.items()}
