"""The attribution graph's JSON, as circuit-tracer's `graph_models.py` and Neuronpedia's JSON schema describe it.

What a node's id and number mean stands here, for reading and writing: a feature's id is `{layer}_{index}_{position}`,
and its `feature` the Cantor pairing of layer and index; an error's id was `0_{layer}_{position}` at first, which a
feature of layer 0 may have as well, and is `{layer}_-1_{position}` since; an embedding's layer is `E`; logits stand
in layer n_layers + 1.
"""

import re
from math import isqrt

import msgspec

EMBEDDING, LOGIT, ERROR = "embedding", "logit", "error"
OWN = ("head", "mlp", "metric")
"""Kinds of nodes that attribution graphs don't have, and other circuits do: their own names as `feature_type`."""

PINNED, SUPERNODES = "pinned", "supernodes"
"""Methods of the clusterings that hold a saved sub-graph."""

METADATA: dict[str, object] = {"transcoder_list": []}
Q_PARAMS: dict[str, object] = {"linkType": "both", "clickedId": "", "sg_pos": ""}
"""What circuit-tracer's models ask for, where a file says nothing."""

_ID = re.compile(r"(\d+|E)_(-?\d+)_(\d+)")


class Node(msgspec.Struct, gc=False):
    node_id: str
    layer: str | int
    ctx_idx: int
    feature_type: str
    feature: int | None = None
    token_prob: float | None = None
    is_target_logit: bool | None = None
    clerp: str | None = None
    influence: float | None = None
    activation: float | None = None


class Link(msgspec.Struct, gc=False):
    source: str
    target: str
    weight: float


def cantor(layer: int, index: int) -> int:
    return (layer + index) * (layer + index + 1) // 2 + index


def uncantor(number: int) -> tuple[int, int]:
    """Layer and index."""
    diagonal = (isqrt(8 * number + 1) - 1) // 2
    index = number - diagonal * (diagonal + 1) // 2
    return diagonal - index, index


def layer_of(node: Node) -> int:
    """The layer as the file numbers it; -1 for E. Raises ValueError."""
    if isinstance(node.layer, int):
        layer = node.layer
    elif node.layer == "E":
        return -1
    elif re.fullmatch(r"[0-9]{1,6}", node.layer):
        layer = int(node.layer)
    else:
        raise ValueError(f"layer {node.layer!r} is no number and not 'E'")
    if not 0 <= layer < 10**6:
        raise ValueError(f"layer {layer} is no layer")
    return layer


def index_of(node: Node, layer: int) -> int | None:
    """The latent's index, or the token's id. Raises ValueError where a feature's can't be told."""
    kind = kind_of(node.feature_type)
    place = _ID.fullmatch(node.node_id)
    told = place and place[1] == ("E" if layer < 0 else str(layer)) and int(place[3]) == node.ctx_idx
    index = int(place[2]) if place and told else None
    if kind == "error":
        return None
    if kind == "feature" and (index is None or index < 0):
        number = node.feature
        if number is None or number < 0 or uncantor(number)[0] != layer:
            raise ValueError(f"neither node_id {node.node_id!r} nor feature {number} says which latent of layer "
                             f"{layer} it is")  # fmt: skip
        return uncantor(number)[1]
    return node.feature if index is None and kind == "logit" else index


def kind_of(feature_type: str) -> str:
    """CircuitNode's kind."""
    known = {EMBEDDING: "token", LOGIT: "logit"} | {own: own for own in OWN}
    return known.get(feature_type) or ("error" if ERROR in feature_type else "feature")


def site_of(feature_type: str) -> str:
    """Where in a block such features and errors are: mlp, attn or resid."""
    words = feature_type.lower()
    if "lorsa" in words or "att" in words:
        return "attn"
    return "mlp" if "transcoder" in words or "mlp" in words else "resid"


def error_type(site: str) -> str:
    return {"mlp": "mlp reconstruction error", "attn": "lorsa error"}.get(site, "reconstruction error")


def old_error_id(layer: int, position: int | None) -> str:
    return f"0_{layer}_{position}"
