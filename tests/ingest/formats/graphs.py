"""Attribution graphs to import: small random ones, large ones, and what circuit-tracer's page asks of one."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

Graph = dict[str, Any]

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
NUMBERS = st.none() | st.floats(-1e6, 1e6, allow_nan=False)
RUNNING = st.none() | st.floats(0, 1, exclude_min=True) | st.integers(1, 8).map(lambda n: n / 8)
"""Influences as circuit-tracer writes them; some are alike."""


class Metadata(BaseModel):
    """As circuit-tracer's graph_models.py has it; strict, as its page's JavaScript is not."""

    model_config = ConfigDict(strict=True)
    slug: str
    scan: str
    transcoder_list: list[str]
    prompt_tokens: list[str]
    prompt: str
    node_threshold: float | None = None
    schema_version: int | None = 1


class QParams(BaseModel):
    model_config = ConfigDict(strict=True)
    pinnedIds: list[str]
    supernodes: list[list[str]]
    linkType: str
    clickedId: str
    sg_pos: str


class Node(BaseModel):
    model_config = ConfigDict(strict=True)
    node_id: str
    feature: int
    layer: str
    ctx_idx: int
    feature_type: str
    token_prob: float
    is_target_logit: bool
    run_idx: int
    reverse_ctx_idx: int
    jsNodeId: str
    clerp: str
    influence: float | None
    activation: float | None


class Link(BaseModel):
    model_config = ConfigDict(strict=True)
    source: str
    target: str
    weight: float


class Page(BaseModel):
    """What the page opens."""

    model_config = ConfigDict(strict=True)
    metadata: Metadata
    qParams: QParams
    nodes: list[Node]
    links: list[Link]


def node(id: str, layer: int | str, position: int, kind: str, **more: Any) -> dict[str, Any]:
    return {"node_id": id, "layer": layer, "ctx_idx": position, "feature_type": kind} | more


def feature(layer: int, index: int, position: int, **more: Any) -> dict[str, Any]:
    number = (layer + index) * (layer + index + 1) // 2 + index
    kind = "cross layer transcoder"
    return node(f"{layer}_{index}_{position}", str(layer), position, kind, feature=number) | more


def error(layer: int, position: int, *, old: bool = True) -> dict[str, Any]:
    id = f"0_{layer}_{position}" if old else f"{layer}_-1_{position}"
    return node(id, str(layer), position, "mlp reconstruction error", feature=-1)


def graph(nodes: list[dict[str, Any]], links: list[tuple[str, str, float]], **more: Any) -> Graph:
    """A whole file. more: other members, or other values of these."""
    tokens = ["<bos>", " a", "é"]
    return {
        "metadata": {"slug": "toy", "scan": "toy-model", "prompt_tokens": tokens, "prompt": "".join(tokens)},
        "qParams": {},
        "nodes": nodes,
        "links": [{"source": source, "target": target, "weight": weight} for source, target, weight in links],
    } | more


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Small graphs of all kinds of nodes; in many, the id of an error is that of a feature as well."""
    n_layers = draw(st.integers(1, 3))
    positions = st.integers(0, 2)
    old = draw(st.booleans())
    places = draw(st.sets(st.tuples(st.integers(0, n_layers - 1), st.integers(0, 2), positions), max_size=8))
    nodes = [feature(*place, activation=draw(NUMBERS), clerp=draw(WORDS)) for place in sorted(places)]
    errors = draw(st.sets(st.tuples(st.integers(0, n_layers - 1), positions), max_size=4))
    nodes += [error(layer, position, old=old) for layer, position in sorted(errors)]
    nodes += [node(f"E_{draw(st.integers(0, 99))}_{p}", "E", p, "embedding", feature=p) for p in range(3)]
    logits = draw(st.sets(st.integers(0, 50), min_size=1, max_size=3))
    top = n_layers + 1
    for number, token in enumerate(sorted(logits)):
        said = {
            "token_prob": draw(st.floats(0, 1)),
            "is_target_logit": number == 0,
            "clerp": f'Output "{token}" (p=0.1)',
        }
        layer: int | str = top if draw(st.booleans()) else str(top)
        nodes.append(node(f"{top}_{token}_2", layer, 2, "logit", feature=token, **said))
    influences = draw(st.sampled_from([RUNNING, NUMBERS]))
    for one in nodes:
        one["influence"] = draw(influences)
        if one["influence"] is None and draw(st.booleans()):
            del one["influence"]
    nodes = draw(st.permutations(nodes))
    depth = {one["node_id"]: -1 if one["layer"] == "E" else int(one["layer"]) for one in nodes}
    ids = sorted(depth)
    below = [(a, b) for a in ids for b in ids if depth[a] < depth[b]]
    ends = draw(st.lists(st.sampled_from(below), unique=True, max_size=20)) if below else []
    made = graph(nodes, [(a, b, draw(st.floats(-9, 9, allow_nan=False))) for a, b in ends])
    some = st.lists(st.sampled_from(ids), unique=True, max_size=4)
    made["qParams"] = {
        "pinnedIds": draw(some),
        "supernodes": draw(st.lists(st.builds(lambda name, ids: [name, *ids], WORDS, some), max_size=2)),
        "clickedId": draw(WORDS),
    }
    made["metadata"] |= {"node_threshold": draw(NUMBERS), "info": {"generator": {"name": draw(WORDS)}}}
    return dict(draw(st.permutations(list(made.items()))))


def write_large(file: Path, megabytes: int, seed: int = 0) -> int:
    """A graph of this size, as circuit-tracer prints it. Returns the number of links."""
    rng = np.random.default_rng(seed)
    n_layers, n_positions = 26, 73
    n_links = megabytes * 10**6 // 101
    n_features = int(min(20_000, max(400, (n_links / 0.12) ** 0.5)))
    places = rng.permutation(n_layers * 4000 * n_positions)[:n_features].tolist()
    nodes = [node(f"E_{p + 1000}_{p}", "E", p, "embedding", feature=p) for p in range(n_positions)]
    nodes += [feature(p % n_layers, p // n_layers % 4000 + 100, p // (n_layers * 4000)) for p in sorted(places)]
    nodes += [error(layer, p) for layer in range(n_layers) for p in range(n_positions)]
    for token in range(10):
        nodes.append(node(f"{n_layers + 1}_{token}_72", str(n_layers + 1), 72, "logit", feature=token, token_prob=0.1))
    nodes = [{**one, "influence": float(rng.random()), "activation": None, "clerp": "", "run_idx": 0} for one in nodes]
    layer = np.array([-1 if one["layer"] == "E" else int(one["layer"]) for one in nodes])
    targets = [n for n, one in enumerate(nodes) if layer[n] >= 0 and one["feature"] >= 0]
    below = np.array([int((layer < layer[n]).sum()) for n in targets])
    each = np.minimum(below, np.ceil(below * n_links / below.sum())).astype(int)
    said = graph(nodes, [])
    said["metadata"]["prompt_tokens"] = [f" t{p}" for p in range(n_positions)]
    del said["links"]
    with file.open("w") as stream:
        stream.write(json.dumps(said, indent=2)[:-2] + ',\n  "links": [\n')
        between = ""
        for target, n in zip(targets, each.tolist(), strict=True):
            sources = np.sort(rng.permutation(np.flatnonzero(layer < layer[target]))[:n]).tolist()
            weights = rng.standard_normal(n).astype(np.float16).astype(float).tolist()
            to = f'"target": "{nodes[target]["node_id"]}"'
            text = ",\n".join(
                f'    {{\n      "source": "{nodes[s]["node_id"]}",\n      {to},\n      "weight": {w}\n    }}'
                for s, w in zip(sources, weights, strict=True)
            )
            stream.write(between + text if n else "")
            between = ",\n" if n else between
        stream.write("\n  ]\n}\n")
    return int(each.sum())
