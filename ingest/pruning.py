"""Which nodes and edges of the candidates make a circuit.

By effect: a threshold, the strongest. By influence, as attribution graphs are pruned (Ameisen et al. 2025): the
absolute weights into each node are made to sum to one, so that what runs backwards from the metric is the share of it
that each node and edge carries; the smallest set that carries a given share is kept.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isnan
from typing import TypeVar

import torch
from torch import Tensor

from ingest.nodes import METRIC, Node, Ranked, sort_key
from ingest.recipe import PruningSection

Edge = tuple[Node, Node]
T = TypeVar("T")


def select(ranked: Ranked, top_nodes: int, least: float) -> list[Node]:
    """The `top_nodes` features of largest effect, and the error terms that are no weaker than the weakest of them.

    `least`: effects below it in size are left out. In the order of the forward pass.
    """
    strong = [(node, abs(e)) for node, e in zip(ranked.nodes, ranked.effects, strict=True) if abs(e) >= least]
    features = [(node, size) for node, size in strong if node.kind == "feature"][:top_nodes]
    weakest = features[-1][1] if features else 0.0
    errors = [node for node, size in strong if node.kind == "error" and size >= weakest]
    return sorted([node for node, _ in features] + errors, key=sort_key)


def strong_edges(weights: Sequence[float], least: float) -> list[int]:
    """The indices of edges that weigh at least `least` in size, and something."""
    return [n for n, weight in enumerate(weights) if abs(weight) >= least and weight != 0.0]


@dataclass(frozen=True)
class NodeValue:
    """What is known of a node in one circuit."""

    effect: float
    activation: float
    observed: float | None = None


@dataclass(frozen=True)
class EdgeValue:
    """What is known of an edge in one circuit."""

    weight: float
    observed: float | None = None


@dataclass(frozen=True)
class Graph:
    """One circuit. The metric is one of its nodes; influences are known once it is pruned."""

    nodes: dict[Node, NodeValue]
    edges: dict[Edge, EdgeValue]
    influence: dict[Node, float] = field(default_factory=dict)

    def only(self, nodes: set[Node]) -> "Graph":
        """Some of the nodes, and the edges between them."""
        kept = {node: value for node, value in self.nodes.items() if node in nodes}
        return Graph(kept, {edge: value for edge, value in self.edges.items() if edge[0] in kept and edge[1] in kept})


def graph_of(
    nodes: Sequence[Node],
    edges: Sequence[Edge],
    effects: Tensor,
    activations: Tensor,
    weights: Tensor,
    observed: tuple[Tensor, Tensor] | None = None,
) -> Graph:
    """All candidates as a circuit. effects, activations: [nodes]; weights: [edges]; observed: both, NaN for nothing."""
    seen_nodes, seen_edges = (
        [None if isnan(value) else value for value in column.double().tolist()]
        for column in observed or (torch.full_like(effects, torch.nan), torch.full_like(weights, torch.nan))
    )
    of_nodes = zip(nodes, effects.double().tolist(), activations.double().tolist(), seen_nodes, strict=True)
    of_edges = zip(edges, weights.double().tolist(), seen_edges, strict=True)
    return Graph(
        {node: NodeValue(*values) for node, *values in of_nodes},
        {edge: EdgeValue(*values) for edge, *values in of_edges},
    )


def features_of(graph: Graph) -> set[Node]:
    """The features of a circuit."""
    return {node for node in graph.nodes if node.kind == "feature"}


def prune(graph: Graph, said: PruningSection, whole: float, densities: Mapping[Node, float] | None = None) -> Graph:
    """The circuit that a recipe's choices leave of all candidates.

    whole: the metric's change from clean to patch. densities: share of a corpus's tokens on which features are active;
    needed where the choice asks for it.
    """
    least = said.node_threshold * abs(whole)
    features = [n for n in graph.nodes if n.kind == "feature" and abs(graph.nodes[n].effect) >= least]
    if said.max_density is not None:
        assert densities is not None
        features = [node for node in features if densities.get(node, 0.0) <= said.max_density]
    features.sort(key=lambda node: (-abs(graph.nodes[node].effect), sort_key(node)))
    kept = set(features[: said.top_nodes])
    if said.errors != "dropped":
        kept |= {n for n in graph.nodes if n.kind == "error" and abs(graph.nodes[n].effect) >= least}
    kept |= {node for node in graph.nodes if node.kind in ("token", "metric")}
    weakest = said.edge_threshold * abs(whole)
    graph = graph.only(kept)
    strong = {e: v for e, v in graph.edges.items() if abs(v.weight) >= weakest and v.weight != 0.0}
    graph = Graph(graph.nodes, strong)
    if said.errors == "merged":
        graph = _merged(graph)
    if said.node_influence is not None:
        graph = graph.only(_influential(graph, said.node_influence))
    if said.edge_influence is not None:
        scores = influences(graph)[1]
        graph = Graph(graph.nodes, {edge: graph.edges[edge] for edge in _smallest(scores, said.edge_influence)})
    if said.node_influence is not None or said.edge_influence is not None:
        graph = _without_dead_ends(graph)
    ends = {node for edge in graph.edges for node in edge}
    graph = graph.only({node for node in graph.nodes if node.kind != "token" or node in ends})
    return replace(graph, influence=influences(graph)[0])


def influences(graph: Graph) -> tuple[dict[Node, float], dict[Edge, float]]:
    """The share of the metric's incoming weight that runs through each node and each edge, 0 to 1."""
    into: dict[Node, list[tuple[Node, float]]] = defaultdict(list)
    for (source, target), value in graph.edges.items():
        into[target].append((source, abs(value.weight)))
    influence = dict.fromkeys(graph.nodes, 0.0)
    if METRIC in influence:
        influence[METRIC] = 1.0
    scores: dict[Edge, float] = {}
    for target in sorted(into, key=sort_key, reverse=True):
        total = sum(weight for _, weight in into[target])
        for source, weight in into[target]:
            share = influence[target] * weight / total if total else 0.0
            scores[source, target] = share
            influence[source] += share
    return influence, scores


def _influential(graph: Graph, share: float) -> set[Node]:
    """The fewest features and error terms that hold a share of the influence of all, with the tokens and the metric."""
    influence, _ = influences(graph)
    inner = {node: value for node, value in influence.items() if node.kind in ("feature", "error")}
    return {*_smallest(inner, share), *(node for node in graph.nodes if node not in inner)}


def _smallest(scores: Mapping[T, float], share: float) -> list[T]:
    """The fewest items whose scores sum to a share of all scores; in the order of the mapping."""
    wanted = share * sum(scores.values())
    kept: set[T] = set()
    total = 0.0
    for item in sorted(scores, key=lambda item: -scores[item]):
        if total >= wanted:
            break
        kept.add(item)
        total += scores[item]
    return [item for item in scores if item in kept]


def _without_dead_ends(graph: Graph) -> Graph:
    """Without what leads nowhere, and features that nothing leads to, until there is none."""
    while True:
        sources, targets = {source for source, _ in graph.edges}, {target for _, target in graph.edges}
        alive = {
            node
            for node in graph.nodes
            if node == METRIC or (node in sources and (node.kind != "feature" or node in targets))
        }
        if len(alive) == len(graph.nodes):
            return graph
        graph = graph.only(alive)


def _merged(graph: Graph) -> Graph:
    """With the error terms of each dictionary as one node, at no position. What was observed of single ones is lost."""
    one = {node: Node("error", node.hook) for node in graph.nodes if node.kind == "error"}
    nodes: dict[Node, NodeValue] = {}
    for node, value in graph.nodes.items():
        if (into := one.get(node)) is None:
            nodes[node] = value
        else:
            nodes[into] = NodeValue(nodes.get(into, NodeValue(0.0, 0.0)).effect + value.effect, 0.0)
    edges: dict[Edge, EdgeValue] = {}
    for (source, target), old in graph.edges.items():
        edge = one.get(source, source), one.get(target, target)
        together = edges.get(edge, EdgeValue(0.0)).weight + old.weight
        edges[edge] = old if edge == (source, target) else EdgeValue(together)
    return Graph(nodes, edges)
