"""Small patterns that recur in a circuit."""

from typing import Any

from queries.graphs.subgraph import Subgraph


def feed_forward_motifs(graph: Subgraph, *, limit: int) -> list[list[Any]]:
    """Feed-forward loops: a node acts on another directly and through a third (Milo et al. 2002)."""
    weight = {(edge.source, edge.target): edge.weight for edge in graph.edges}
    rows: list[list[Any]] = []
    for (source, target), direct in weight.items():
        for first in graph.leaving.get(source, []):
            second = weight.get((first.target, target))
            if second is not None:
                weakest = min(abs(direct), first.size, abs(second))
                through = first.weight * second
                rows.append([source, first.target, target, weakest, direct, through, direct * through > 0])
    return sorted(rows, key=lambda row: (-row[3], *row[:3]))[:limit]
