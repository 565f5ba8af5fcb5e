"""What must be taken out of a circuit so that no path from a token to the output is left: the least of it."""

from typing import Any

from queries.graphs.subgraph import OUTPUTS, TOKENS, Subgraph
from store.rollup import FIXED_POINT

_Row = list[Any]


def min_cut(graph: Subgraph, *, limit: int) -> list[_Row]:
    """The edges of the least total |weight|; of several such sets, the one nearest to the output.

    Weights are rounded to fixed point: only with whole numbers is a maximal flow exact.
    """
    flow = graph.digraph()
    for edge in graph.edges:
        flow.edges[edge.source, edge.target]["capacity"] = round(edge.size * FIXED_POINT)
    before = _side_of_the_tokens(flow)
    cut = [edge for edge in graph.edges if edge.source in before and edge.target not in before and edge.weight]
    cut.sort(key=lambda edge: (-edge.size, edge.source, edge.target))
    return [[edge.source, edge.target, edge.weight, edge.observed] for edge in cut[:limit]]


def min_node_cut(graph: Subgraph, *, limit: int) -> list[_Row]:
    """The fewest nodes between inputs and outputs; of several such sets, the one nearest to the output.

    Edges from an input straight to an output, which no node between can cut, are left out.
    """
    import networkx as nx

    ends = {*graph.inputs, *graph.outputs}
    flow: nx.DiGraph[Any] = nx.DiGraph()
    flow.add_nodes_from((TOKENS, OUTPUTS))
    for uid in graph.nodes:
        if uid not in ends:
            flow.add_edge((uid, "in"), (uid, "out"), capacity=1)
    for edge in graph.edges:
        if edge.source in ends and edge.target in ends:
            continue
        source = TOKENS if edge.source in ends else (edge.source, "out")
        target = OUTPUTS if edge.target in ends else (edge.target, "in")
        flow.add_edge(source, target)
    before = _side_of_the_tokens(flow)
    cut = [uid for uid in sorted(graph.nodes) if (uid, "in") in before and (uid, "out") not in before]
    return [[uid, graph.nodes[uid]["kind"]] for uid in cut[:limit]]


def _side_of_the_tokens(flow: Any) -> set[Any]:
    """The nodes before a minimal cut."""
    from networkx import minimum_cut
    from networkx.algorithms.flow import boykov_kolmogorov

    _, (before, _) = minimum_cut(flow, TOKENS, OUTPUTS, flow_func=boykov_kolmogorov)
    return set(before)
