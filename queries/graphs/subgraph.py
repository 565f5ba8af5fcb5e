"""Some edges of one circuit, as a query fetched them, with the nodes at their ends."""

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any, NamedTuple

from store.database import Rows

if TYPE_CHECKING:
    import networkx as nx

COLUMNS = ("source", "target", "weight", "source_kind", "target_kind")
"""What is fetched at least; `source_x` and `target_x` become what is known of a node, all else of an edge."""

TOKENS, OUTPUTS = "<tokens>", "<outputs>"
"""One node before all inputs and one after all outputs; no uid has such characters."""


class Edge(NamedTuple):
    source: str
    target: str
    weight: float
    observed: float | None = None
    input: str | None = None

    @property
    def size(self) -> float:
        return abs(self.weight)


class Subgraph:
    """Edges by the nodes that they leave and enter. Acyclic, as a circuit is: the loader makes sure."""

    def __init__(self, edges: Iterable[Edge], nodes: dict[str, dict[str, Any]]) -> None:
        """nodes: what is known of each, by uid: its kind at least."""
        self.edges = list(edges)
        self.nodes = nodes
        self.leaving: dict[str, list[Edge]] = defaultdict(list)
        self.entering: dict[str, list[Edge]] = defaultdict(list)
        for edge in self.edges:
            self.leaving[edge.source].append(edge)
            self.entering[edge.target].append(edge)

    @classmethod
    def of(cls, rows: Rows) -> "Subgraph":
        at = {column: i for i, column in enumerate(rows.columns)}
        ends = {
            end: [(column.removeprefix(f"{end}_"), i) for column, i in at.items() if column.startswith(f"{end}_")]
            for end in ("source", "target")
        }
        nodes: dict[str, dict[str, Any]] = {}
        for row in rows.rows:
            for end, known in ends.items():
                if row[at[end]] not in nodes:
                    nodes[row[at[end]]] = {name: row[i] for name, i in known}
        chosen = [at[name] for name in Edge._fields if name in at]
        return cls((Edge(*(row[i] for i in chosen)) for row in rows.rows), nodes)

    @cached_property
    def order(self) -> list[str]:
        """The nodes, each after all that act on it; equal edges give an equal order."""
        return list(TopologicalSorter({uid: [e.source for e in self.entering.get(uid, [])] for uid in self.nodes})
                    .static_order())  # fmt: skip

    @cached_property
    def inputs(self) -> list[str]:
        """The tokens, or where there are none, the nodes that nothing acts on."""
        return self._of_kind("token") or [uid for uid in self.nodes if uid not in self.entering]

    @cached_property
    def outputs(self) -> list[str]:
        """The metric, or where there is none the logits, or else the nodes that act on nothing; no inputs."""
        last = [uid for uid in self.nodes if uid not in self.leaving and uid not in self.inputs]
        return self._of_kind("metric") or self._of_kind("logit") or last

    def digraph(self) -> "nx.DiGraph[str]":
        """For networkx, from TOKENS to OUTPUTS; edges of these have no capacity, which there means no bound."""
        import networkx as nx  # only what needs it waits for it

        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_nodes_from((TOKENS, OUTPUTS))
        graph.add_edges_from((edge.source, edge.target) for edge in self.edges)
        graph.add_edges_from((TOKENS, uid) for uid in self.inputs)
        graph.add_edges_from((uid, OUTPUTS) for uid in self.outputs)
        return graph

    def _of_kind(self, kind: str) -> list[str]:
        return [uid for uid, known in self.nodes.items() if known["kind"] == kind]
