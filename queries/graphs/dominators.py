"""What every path runs through: dominators, and the nodes without which a token no longer reaches the output."""

from collections import defaultdict
from typing import Any

from queries.graphs.subgraph import OUTPUTS, TOKENS, Subgraph

_Row = list[Any]


def dominators(graph: Subgraph, *, root: str, limit: int) -> list[_Row]:
    """root: tokens, for what every path from them to a node runs through; or output, for those from it to there."""
    above = _immediate(graph, root)
    below = _counts(above)
    rows = [
        [uid, graph.nodes[uid]["kind"], above[uid] if above[uid] in graph.nodes else None, below[uid]] for uid in above
    ]
    return sorted(rows, key=lambda row: (-row[3], row[0]))[:limit]


def bottlenecks(graph: Subgraph, *, limit: int) -> list[_Row]:
    """Each node between inputs and outputs, those first that cut the most inputs off."""
    above = _immediate(graph, "output")
    cut: dict[str, list[str]] = defaultdict(list)
    for token in graph.inputs:
        at = above.get(token, OUTPUTS)
        while at in graph.nodes:
            cut[at].append(token)
            at = above[at]
    share = _shares(graph)
    ends = {*graph.inputs, *graph.outputs}
    rows = [
        [uid, graph.nodes[uid]["kind"], len(cut[uid]), round(part, 9), sorted(cut[uid])]
        for uid, part in share.items()
        if part > 0 and uid not in ends
    ]
    return sorted(rows, key=lambda row: (-row[2], -row[3], row[0]))[:limit]


def _immediate(graph: Subgraph, root: str) -> dict[str, str]:
    """The immediate dominator of each node that is reached from the root; TOKENS or OUTPUTS where it has none."""
    from networkx import immediate_dominators

    whole = graph.digraph()
    found = immediate_dominators(whole, TOKENS) if root == "tokens" else immediate_dominators(whole.reverse(), OUTPUTS)
    return {uid: above for uid, above in found.items() if uid in graph.nodes}


def _counts(above: dict[str, str]) -> dict[str, int]:
    """How many nodes each one dominates, immediately or not."""
    counts: dict[str, int] = defaultdict(int)
    for at in above.values():
        while at in above:
            counts[at] += 1
            at = above[at]
    return counts


def _shares(graph: Subgraph) -> dict[str, float]:
    """Per node, the share of all paths' |weight|, inputs to outputs, that runs through it.

    The weight of a path is the product of its edges', so that sums over all of them are made node by node.
    """
    before = dict.fromkeys(graph.nodes, 0.0) | dict.fromkeys(graph.inputs, 1.0)
    after = dict.fromkeys(graph.nodes, 0.0) | dict.fromkeys(graph.outputs, 1.0)
    for uid in graph.order:
        before[uid] += sum(edge.size * before[edge.source] for edge in graph.entering.get(uid, []))
    for uid in reversed(graph.order):
        after[uid] += sum(edge.size * after[edge.target] for edge in graph.leaving.get(uid, []))
    total = sum(before[uid] for uid in graph.outputs)
    return {uid: before[uid] * after[uid] / total if total else 0.0 for uid in graph.nodes}
