"""Nodes in words.

Not in Cypher: LadybugDB 0.22 mixes up what list_transform is given where it has more than 2,048 items at once.
"""

from typing import Any

from store.database import Rows

COLUMNS = ("weight", "hops", "kinds", "layers", "indexes", "positions", "tokens", "weights", "observed", "nodes")
"""What is fetched of paths: `kinds` to `tokens` hold an item a node."""


def labelled_paths(fetched: Rows) -> list[list[Any]]:
    return [
        [weight, hops, [label(*node) for node in zip(*of_nodes, strict=True)], weights, observed, nodes]
        for weight, hops, *of_nodes, weights, observed, nodes in fetched.rows
    ]


def label(kind: str, layer: int, index: int | None, position: int | None, token: str | None) -> str:
    """Kind, layer:index and @token (or @position): `feature 12:345 @ keys`."""
    place = ""
    if kind not in ("token", "logit", "metric"):
        place = f" {layer}" + ("" if index is None else f":{index}")
    at = position if token is None else token
    return kind + place + ("" if at is None or at == "" else f" @{at}")
