"""The strongest paths by the product of their |weights|, however long.

Best first, with the best product that can still follow as the bound (A*): circuits are acyclic, so that bound is
exact, and only beginnings of the paths that are asked for are ever taken up.
"""

import heapq
import math
from collections.abc import Collection
from operator import itemgetter
from typing import Any

from queries.graphs.labels import labels
from queries.graphs.subgraph import Edge, Subgraph

CONFIRMED = 0.5
"""How much of what was predicted an edge must be observed to do: the default of `min_ratio` in queries on evidence."""

_Row = list[Any]
_OF_A_NODE = itemgetter("kind", "layer", "index", "position", "token")


def strongest_paths(graph: Subgraph, *, source: str, target: str, confirmed: bool, limit: int) -> list[_Row]:
    """source, target: uids, or '' for all inputs and all outputs. confirmed: only along edges that are."""
    sources, targets = [source] if source else graph.inputs, [target] if target else graph.outputs
    taken = Subgraph(filter(_is_confirmed, graph.edges), graph.nodes) if confirmed else graph
    return [_row(graph, path) for path in strongest(taken, sources, targets, limit)]


def paths_through(graph: Subgraph, *, limit: int) -> list[_Row]:
    """Paths from inputs to outputs over a node that is known as `through`."""
    found = {}
    for uid in (uid for uid, known in graph.nodes.items() if known["through"]):
        before, after = _reached(uid, graph.entering, 0), _reached(uid, graph.leaving, 1)
        # Whoever is to leave the nodes before this one on these edges has to pass it.
        edges = [edge for edge in graph.edges if edge.target in before or edge.source in after]
        for path in strongest(Subgraph(edges, graph.nodes), graph.inputs, graph.outputs, limit):
            found[_steps(path)] = path
    return [_row(graph, path) for path in sorted(found.values(), key=_first_strongest)[:limit]]


def strongest(graph: Subgraph, sources: Collection[str], targets: Collection[str], limit: int) -> list[list[Edge]]:
    """At most `limit` paths of one edge or more. Edges that weigh nothing are not taken."""
    ends = set(targets)
    best: dict[str, float] = {}
    for uid in reversed(graph.order):
        onwards = [edge.size * best[edge.target] for edge in graph.leaving.get(uid, [])]
        best[uid] = max([1.0 if uid in ends else 0.0, *onwards])
    heap: list[tuple[float, int, tuple[str, ...], str, float, list[Edge], bool]] = []

    def push(product: float, follows: float, path: list[Edge], at: str, done: bool) -> None:
        if product * follows > 0:
            # Rounded: what differs by the order of multiplication only is a tie, where the longer beginning goes
            # on first, or all beginnings of many equal paths would be taken up before the first is whole.
            bound = -round(math.log(product * follows), 9)
            heapq.heappush(heap, (bound, -len(path), _steps(path), at, product, path, done))

    for uid in sources:
        push(1.0, best.get(uid, 0.0), [], uid, False)
    found: list[list[Edge]] = []
    while heap and len(found) < limit:
        _, _, _, at, product, path, done = heapq.heappop(heap)
        if done:
            found.append(path)
            continue
        if path and at in ends:
            push(product, 1.0, path, at, True)
        for edge in graph.leaving.get(at, []):
            push(product * edge.size, best[edge.target], [*path, edge], edge.target, False)
    return sorted(found, key=_first_strongest)


def _is_confirmed(edge: Edge) -> bool:
    observed = edge.observed or 0.0
    return observed * edge.weight > 0 and abs(observed) >= CONFIRMED * abs(edge.weight)


def _reached(uid: str, edges: dict[str, list[Edge]], end: int) -> set[str]:
    """A node and all that is reached from it. end: which end of an edge leads on."""
    seen, todo = {uid}, [uid]
    while todo:
        for edge in edges.get(todo.pop(), []):
            if edge[end] not in seen:
                seen.add(str(edge[end]))
                todo.append(str(edge[end]))
    return seen


def _row(graph: Subgraph, path: list[Edge]) -> _Row:
    weights, uids = [edge.weight for edge in path], [path[0].source, *(edge.target for edge in path)]
    observed = [edge.observed for edge in path]
    told = labels(map(_OF_A_NODE, (graph.nodes[uid] for uid in uids)), [edge.input for edge in path])
    return [math.prod(weights), len(path), told, weights, observed, uids]


def _steps(path: list[Edge]) -> tuple[str, ...]:
    """What tells a path from every other: two edges may join the same nodes by different inputs."""
    return (path[0].source, *(f"{edge.target} {edge.input or ''}" for edge in path)) if path else ()


def _first_strongest(path: list[Edge]) -> tuple[float, tuple[str, ...]]:
    return -abs(math.prod(edge.weight for edge in path)), _steps(path)
