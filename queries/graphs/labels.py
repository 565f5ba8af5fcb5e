"""Nodes in words.

Not in Cypher: LadybugDB 0.22 mixes up what list_transform is given where it has more than 2,048 items at once.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from store.database import Rows

COLUMNS = (
    "weight", "hops", "kinds", "layers", "indexes", "positions", "tokens", "weights", "inputs", "observed", "nodes"
)  # fmt: skip
"""What is fetched of paths: `kinds` to `tokens` hold an item a node, `weights` to `observed` one an edge."""


def labelled_paths(fetched: Rows) -> list[list[Any]]:
    return [
        [weight, hops, labels(zip(*of_nodes, strict=True), inputs), weights, observed, nodes]
        for weight, hops, *of_nodes, weights, inputs, observed, nodes in fetched.rows
    ]


def labels(nodes: Iterable[tuple[Any, Any, Any, Any, Any]], inputs: Sequence[str | None]) -> list[str]:
    """Of the nodes along a path: what `label` takes of each. inputs: of heads, which the edges between them enter."""
    return [label(*node, into) for node, into in zip(nodes, [None, *inputs], strict=True)]


def label(
    kind: str, layer: int, index: int | None, position: int | None, token: str | None, into: str | None = None
) -> str:
    """Kind, layer:index and @token (or @position): `feature 12:345 @ keys`. into: one input, as in `head 9:6.q`."""
    place = ""
    if kind not in ("token", "logit", "metric"):
        place = f" {layer}" + ("" if index is None else f":{index}") + ("" if into is None else f".{into}")
    at = position if token is None else token
    return kind + place + ("" if at is None or at == "" else f" @{at}")
