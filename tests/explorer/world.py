"""What the explorer is shown: the small world of the queries with uids as they are made, and odd and hostile things."""

import json
import random
from typing import Any

from store.uids import circuit_node_uid, circuit_uid
from tests.queries.world import MODEL, Rows, ablation, circuit, clustered, feature, shared

HOSTILE = {
    "script": "<script>window.ran = true</script>",
    "image": '"><img src="/nothing.png" onerror="window.ran = true">',
    "link": "[x](javascript:alert(1)) & &lt;b&gt; ${window.ran = true}",
    "long": "interminable" * 60,
    "right to left": "שלום עולם \u202eevil\u202c مرحبا",
}


def _uid(name: str) -> str:
    return circuit_uid(name, MODEL, name.encode().hex().ljust(8, "0"))


LONELY, BARE, HEADS, GRAPH, LONG, ATTACK = (
    _uid(name) for name in ("lonely", "bare", "heads", "imported graph", "long prompt", "attack")
)
N_TOKENS = 5_000
AGREEMENT, OPPOSITES = (f"{name}:{MODEL}:{seed:08x}" for name, seed in (("agreement-1", 1), ("opposites-3", 3)))


def world() -> Rows:
    """Two tasks with a circuit each, circuits of two prompts, and all that can be measured on the tasks' circuits."""
    tasks = [circuit(seed) for seed in (1, 3)]
    for rows in tasks:
        rows["Ablation"] += list(_measured(rows["Circuit"][0]["uid"]))
        rows["TESTS"] = [{"source": one["uid"], "target": rows["Circuit"][0]["uid"]} for one in rows["Ablation"]]
        rows["Circuit"][0] |= {"clean_prompt": "The keys", "patch_prompt": "The key"}
        rows["Circuit"][0] |= {"clean_answer": " are", "patch_answer": " is"}
        for number, edge in enumerate(rows["ATTRIBUTES_TO"]):
            edge["observed"] = None if number % 5 == 0 else edge["weight"] * (-0.5 if number % 4 == 0 else 0.9)
    return _named_as_made(_joined(circuit(0), circuit(2), *tasks, clustered()))


def odd() -> Rows:
    """A circuit of one node, one of none, heads without positions, an imported graph, 5,000 tokens, hostile text."""
    return _joined(_lonely(), _bare(), _heads(), _graph(), _long(), _attack())


def _measured(uid: str) -> list[dict[str, Any]]:
    """What the small world leaves out of what `circuitstore ablate` measures."""
    rows = [
        ablation(uid, kind, n) | {"faithfulness": 0.2 + n / 20}
        for kind in ("completeness", "minimality")
        for n in (5, 10)
    ]
    rows += [
        ablation(uid, kind, n) | {"n_edges": 4 * n, "faithfulness": n / 12}
        for kind in ("edges", "pruning")
        for n in (5, 10)
    ]
    return rows


def _joined(*parts: Rows) -> Rows:
    """Each row once: parts share models and features."""
    rows: dict[str, dict[str, dict[str, Any]]] = {}
    for part in parts:
        for table, some in part.items():
            rows.setdefault(table, {}).update((repr(row), row) for row in some)
    return {table: list(some.values()) for table, some in rows.items()}


def _named_as_made(rows: Rows) -> Rows:
    """The small world's uids in the forms of `store/uids.py`, which the pages read."""
    text = json.dumps(rows)
    for short, made in ((f".{MODEL}.", f":{MODEL}:"), (':None:None"', '"'), (':None"', '"'), (":None:", ":_:")):
        text = text.replace(short, made)
    named: Rows = json.loads(text)
    return named


def _circuit(uid: str, nodes: list[dict[str, Any]], edges: list[dict[str, Any]], **more: Any) -> Rows:
    """nodes: without uids, which they are given. edges: between places in that list."""
    for node in nodes:
        place = (node["layer"], node.get("index"), node.get("position"))
        node["uid"] = circuit_node_uid(uid, node["kind"], *place)
    name = more.pop("name", uid.split(":")[0].replace("-", " "))
    counts = {"n_nodes": len(nodes), "n_edges": len(edges)}
    return {
        "Model": shared()["Model"],
        "Circuit": [{"uid": uid, "name": name, "method": "imported", "aggregation": "prompt", **counts, **more}],
        "OF_MODEL.Circuit-Model": [{"source": uid, "target": MODEL}],
        "CircuitNode": nodes,
        "IN_CIRCUIT": [{"source": node["uid"], "target": uid} for node in nodes],
        "ATTRIBUTES_TO": [
            {**edge, "source": nodes[edge["source"]]["uid"], "target": nodes[edge["target"]]["uid"]} for edge in edges
        ],
    }


def _lonely() -> Rows:
    return _circuit(LONELY, [{"kind": "feature", "layer": 1, "index": 3, "position": 0, "effect": 0.25}], [])


def _bare() -> Rows:
    return _circuit(BARE, [], [])


def _heads() -> Rows:
    """As the MIB benchmark publishes circuits: heads and MLPs, no positions, no effects, edges into q, k and v."""
    nodes = [{"kind": "head", "layer": layer, "index": head} for layer in range(4) for head in range(6)]
    nodes += [{"kind": "mlp", "layer": layer} for layer in range(4)] + [{"kind": "metric", "layer": 4}]
    edges = [
        {
            "source": s,
            "target": t,
            "weight": (s - 12.5) / (t + 1),
            "input": "qkv"[t % 3] if target["kind"] == "head" else None,
        }
        for s, source in enumerate(nodes)
        for t, target in enumerate(nodes)
        if source["layer"] < target["layer"]  # type: ignore[operator]
    ]
    return _circuit(HEADS, nodes, edges)


def _graph() -> Rows:
    """As an attribution graph comes from another tool: influences and weights, nothing observed, logits on top."""
    tokens = ["The", " capital", " of", " Texas", " is"]
    nodes: list[dict[str, Any]] = [
        {"kind": "token", "layer": -1, "index": 10 + at, "position": at, "token": token}
        for at, token in enumerate(tokens)
    ]
    nodes += [
        {
            "kind": kind,
            "layer": layer,
            "index": None if kind == "error" else 7 * layer + at,
            "position": at,
            "influence": 0.1 * at,
        }
        for layer in range(3)
        for at in range(1, 5)
        for kind in ("feature", "error")
    ]
    nodes += [
        {
            "kind": "logit",
            "layer": 3,
            "index": 50 + n,
            "position": 4,
            "token": token,
            "probability": 0.5 / (n + 1),
            "label": f'Output "{token}"',
        }
        for n, token in enumerate((" Austin", " Dallas"))
    ]
    edges = [
        {"source": s, "target": t, "weight": 0.5 - (s + t) % 5 / 4}
        for s, source in enumerate(nodes)
        for t, target in enumerate(nodes)
        if target["layer"] - source["layer"] == 1 and source["position"] <= target["position"]
    ]
    rows = _circuit(GRAPH, nodes, edges)
    rows["Prompt"] = [{"uid": "prompt:texas", "text": "".join(tokens), "tokens": tokens}]
    rows["FOR_PROMPT"] = [{"source": GRAPH, "target": "prompt:texas"}]
    return rows


def _long() -> Rows:
    rng = random.Random(0)
    places = sorted(rng.sample(range(N_TOKENS), 400))
    nodes: list[dict[str, Any]] = [
        {
            "kind": "feature",
            "layer": at % 4,
            "index": at % 97,
            "position": at,
            "token": f" t{at}",
            "effect": rng.gauss(0, 0.3),
        }
        for at in places
    ]
    nodes.append({"kind": "metric", "layer": 4, "influence": 1.0})
    edges = [{"source": n, "target": len(places), "weight": rng.gauss(0, 1)} for n in range(len(places))]
    rows = _circuit(LONG, nodes, edges)
    tokens = [f" t{at}" for at in range(N_TOKENS)]
    rows["Prompt"] = [{"uid": "prompt:long", "text": "".join(tokens), "tokens": tokens}]
    rows["FOR_PROMPT"] = [{"source": LONG, "target": "prompt:long"}]
    return rows


def _attack() -> Rows:
    """Text that a file from elsewhere may hold, wherever text can stand. Uids can't hold it."""
    texts = list(HOSTILE.values())
    everything = " ".join(texts)
    nodes: list[dict[str, Any]] = [
        {
            "kind": "feature",
            "layer": at % 4,
            "index": at,
            "position": at,
            "token": text,
            "label": text,
            "effect": 0.5 - at / 5,
        }
        for at, text in enumerate(texts)
    ]
    nodes.append({"kind": "metric", "layer": 4, "label": everything, "token": everything})
    edges = [{"source": at, "target": len(texts), "weight": 0.5, "observed": 0.4} for at in range(len(texts))]
    uid, clustering = ATTACK, f"clustering:{MODEL}:attack:attack:0"
    rows = _circuit(uid, nodes, edges, name=everything) | {
        "Dictionary": [
            {"uid": f"{MODEL}:blocks.9", "hook": everything, "layer": 9, "site": "resid", "architecture": everything}
        ],
        "Prompt": [{"uid": "prompt:attack", "text": everything, "tokens": texts}],
        "FOR_PROMPT": [{"source": uid, "target": "prompt:attack"}],
        "Task": [{"uid": "task:attack", "name": everything, "metric": everything, "n_pairs": 1, "sha256": "ab" * 32}],
        "FOR_TASK.Circuit-Task": [{"source": uid, "target": "task:attack"}],
        "Run": [{"uid": "run:attack", "command": everything, "params": json.dumps({"text": everything})}],
        "PRODUCED_BY.Circuit-Run": [{"source": uid, "target": "run:attack"}],
        "Clustering": [
            {
                "uid": clustering,
                "method": everything,
                "basis": everything,
                "params": "{}",
                "n_clusters": 1,
                "n_features": 5,
                "left_out": 0,
                "sizes": "5",
            }
        ],
        "Cluster": [{"uid": f"{clustering}:0", "name": everything, "size": len(texts)}],
        "PART_OF": [{"source": f"{clustering}:0", "target": clustering}],
    }
    rows["Circuit"][0] |= {"method": everything, "faithfulness": 0.5, "observed_pairs": 1}
    rows["Feature"] = [
        {
            "uid": feature(9, at),
            "layer": 9,
            "index": at,
            "label": text,
            "top_tokens": texts,
            "bottom_tokens": texts,
            "density": 0.1,
            "max_activation": 1.0,
            "examples": [f"[1.5] {text} «{text}» {text}"],
        }
        for at, text in enumerate(texts)
    ]
    rows["IN_DICTIONARY"] = [{"source": one["uid"], "target": f"{MODEL}:blocks.9"} for one in rows["Feature"]]
    rows["OF_MODEL.Dictionary-Model"] = [{"source": f"{MODEL}:blocks.9", "target": MODEL}]
    rows["INSTANCE_OF"] = [{"source": node["uid"], "target": feature(9, at)} for at, node in enumerate(nodes[:-1])]
    rows["MEMBER_OF.Feature-Cluster"] = [{"source": one["uid"], "target": f"{clustering}:0"} for one in rows["Feature"]]
    rows["Ablation"] = [ablation(uid, "faithfulness", 5), ablation(uid, "random", 5)]
    rows["TESTS"] = [{"source": one["uid"], "target": uid} for one in rows["Ablation"]]
    return rows
