"""Which nodes and edges of the candidates make a circuit."""

from collections.abc import Sequence

from ingest.nodes import Node, Ranked, sort_key


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
