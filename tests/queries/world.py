"""A small world that every query has an answer in: two tasks, circuits of prompts and of tasks, shared features.

Its texts hold what queries stumble over: nulls, spaces, quotes, `: ` and ` @` in tokens, equal weights.
"""

import random
from itertools import pairwise
from typing import Any

Rows = dict[str, list[dict[str, Any]]]

LAYERS, FEATURES, POSITIONS = 4, 5, 2
MODEL, TASKS = "toy", ("agreement", "opposites")
TOKENS = (None, "", " keys", "it's", ": ", "x @", "naïve", '"q"')
OBSERVED = (None, 0.2, -0.1, 0.3)
WEIGHTS = (0.5, -0.5, 0.25, -0.125, 0.02, 0.001, -0.0005)


DENSE_END = "dense:toy:00000000:metric"


def feature(layer: int, index: int) -> str:
    return f"{MODEL}:blocks.{layer}:{index}"


def shared() -> Rows:
    """Model, dictionaries, features, tasks."""
    rows: Rows = {
        "Model": [{"uid": MODEL, "name": "Toy", "n_layers": LAYERS, "d_model": 8, "vocab_size": 50}],
        "Dictionary": [],
        "Feature": [],
        "IN_DICTIONARY": [],
        "OF_MODEL.Dictionary-Model": [],
    }
    for layer in range(LAYERS):
        dictionary = f"{MODEL}:blocks.{layer}"
        optional = {"source": "toy", "sha256": "ab" * 32} if layer else {}
        hook = f"blocks.{layer}.hook_resid_post"
        rows["Dictionary"].append({"uid": dictionary, "hook": hook, "layer": layer, "site": "resid", **optional})
        rows["OF_MODEL.Dictionary-Model"].append({"source": dictionary, "target": MODEL})
        for index in range(FEATURES):
            uid = feature(layer, index)
            rows["Feature"].append({"uid": uid, "layer": layer, "index": index, **described(layer, index)})
            rows["IN_DICTIONARY"].append({"source": uid, "target": dictionary})
    rows |= matches()
    return rows


def matches() -> Rows:
    """Features matched with those of the next dictionary: one to one, and many to one."""
    rng = random.Random(99)
    rows: Rows = {"MATCHES": [], "MATCHED": []}
    for layer in range(LAYERS - 1):
        ends = {"source": f"{MODEL}:blocks.{layer}", "target": f"{MODEL}:blocks.{layer + 1}"}
        rows["MATCHED"].append({**ends, "method": "sae_match", "n_matches": FEATURES, "confirmed": 0.75})
        rows["MATCHED"].append({**ends, "method": "feature_flow", "n_matches": FEATURES, "same_as_sae_match": 0.5})
        for index in range(FEATURES):
            tested = {"deactivation": 0.5, "control": 0.125, "n_active": 3, "confirmed": True} if index % 2 else {}
            for method, other in (("sae_match", (index + 1) % FEATURES), ("feature_flow", index // 2)):
                rows["MATCHES"].append(
                    {
                        "source": feature(layer, index),
                        "target": feature(layer + 1, other),
                        "method": method,
                        "score": rng.choice((0.9, 0.5, 0.25)),
                        "rank": 1,
                        "reverse_rank": 1 if method == "sae_match" or index % 2 == 0 else 2,
                        "kind": "translated" if method == "feature_flow" and index % 2 == 0 else None,
                        **tested,
                    }
                )
    return rows


def described(layer: int, index: int) -> dict[str, Any]:
    """What a corpus showed of a feature: of even ones nothing, and one never fires."""
    if index % 2 == 0:
        return {}
    promoted = {"top_tokens": ["a", " b", f" {layer}"], "bottom_tokens": [" c", "it's"]}
    if (layer, index) == (0, 1):
        return {"label": 'never active, promotes "a" " b"', **promoted, "density": 0.0, "max_activation": 0.0}
    examples = [f"[{layer + 2}] the «keys» on", f"[{layer + 1}] it's «{index}»«x» \n: "]
    numbers = {"density": index / 8, "max_activation": layer + 2.0}
    return {"label": f'on " keys" "{index}", promotes "a" " b"', **promoted, **numbers, "examples": examples}


def circuit(seed: int) -> Rows:
    """One circuit with all that it needs. Even seeds are of prompts, odd ones of tasks."""
    rng = random.Random(seed)
    task = TASKS[seed // 2 % 2]
    aggregation = "task" if seed % 2 else "prompt"
    uid = f"{task}-{seed}.{MODEL}.{seed:08x}"
    rows = shared()
    nodes: list[dict[str, Any]] = []
    for position in range(POSITIONS):
        nodes.append({"kind": "token", "layer": -1, "index": 7 + position, "position": position})
        for layer in range(LAYERS):
            for index in rng.sample(range(FEATURES), 3):
                nodes.append({"kind": "feature", "layer": layer, "index": index, "position": position})
            nodes.append({"kind": "error", "layer": layer, "index": None, "position": position})
    nodes.append({"kind": "metric", "layer": LAYERS, "index": None, "position": None})
    for node in nodes:
        node["uid"] = f"{uid}:{node['kind']}:{node['layer']}:{node['index']}:{node['position']}"
        node["token"] = rng.choice(TOKENS)
        node["effect"] = rng.choice([None, *WEIGHTS])
        node["observed_effect"] = rng.choice([None, 0.1])
    edges = [
        {
            "source": s["uid"],
            "target": t["uid"],
            "weight": rng.choice(WEIGHTS),
            "observed": rng.choice(OBSERVED) if t["layer"] == s["layer"] + 1 else None,
        }
        for s in nodes
        for t in nodes
        if s["layer"] < t["layer"] and (t["position"] is None or s["position"] <= t["position"])
        if rng.random() < {1: 0.8, 2: 0.1}.get(t["layer"] - s["layer"], 0)
    ]
    rows["CircuitNode"] = nodes
    rows["ATTRIBUTES_TO"] = edges
    rows["IN_CIRCUIT"] = [{"source": n["uid"], "target": uid} for n in nodes]
    rows["INSTANCE_OF"] = [
        {"source": n["uid"], "target": feature(n["layer"], n["index"])} for n in nodes if n["kind"] == "feature"
    ]
    rows["Circuit"] = [
        {
            "uid": uid,
            "name": f"{task} {seed}",
            "method": "integrated gradients",
            "aggregation": aggregation,
            "n_nodes": len(nodes),
            "n_edges": len(edges),
            "faithfulness": 0.9 if seed % 2 else None,
            "observed_pairs": 9,
        }
    ]
    rows["OF_MODEL.Circuit-Model"] = [{"source": uid, "target": MODEL}]
    rows["USES"] = [{"source": uid, "target": f"{MODEL}:blocks.{layer}"} for layer in range(LAYERS)]
    rows["Task"] = [
        {"uid": f"task:{task}", "name": task, "metric": "logit difference", "n_pairs": 9, "sha256": "cd" * 32}
    ]
    rows["FOR_TASK.Circuit-Task"] = [{"source": uid, "target": f"task:{task}"}]
    rows |= supernodes(uid, nodes)
    rows["Run"] = [{"uid": "run:1", "command": "circuitstore ingest", "params": "{}", "seed": 0}]
    rows["PRODUCED_BY.Circuit-Run"] = [{"source": uid, "target": "run:1"}]
    if aggregation == "prompt":
        rows["Prompt"] = [{"uid": f"prompt:{seed}", "text": f"The Key {seed} of", "tokens": ["The", " Key", " of"]}]
        rows["FOR_PROMPT"] = [{"source": uid, "target": f"prompt:{seed}"}]
    else:
        rows["Ablation"] = [ablation(uid, kind, n) for kind in ("faithfulness", "random") for n in (5, 10)]
        rows["Ablation"] += [
            ablation(uid, kind, 1) | {"ablated": feature(1, 1), "errors": "kept", "factor": factor}
            for kind, factor in (("feature", None), ("steering", 2.0))
        ]
        rows["Cluster"].append(clustered()["Cluster"][0])
        cluster = rows["Cluster"][-1]["uid"]
        rows["Ablation"].append(ablation(uid, "cluster", FEATURES) | {"ablated": cluster, "errors": "kept"})
        rows["ABLATES.Ablation-Cluster"] = [{"source": rows["Ablation"][-1]["uid"], "target": cluster}]
        rows["ABLATES.Ablation-Feature"] = [{"source": rows["Ablation"][-2]["uid"], "target": feature(1, 1)}]
        rows["FOR_TASK.Ablation-Task"] = [
            {"source": row["uid"], "target": f"task:{task}"} for row in rows["Ablation"] if "ablated" in row
        ]
        rows["TESTS"] = [{"source": a["uid"], "target": uid} for a in rows["Ablation"]]
    return rows


def supernodes(circuit: str, nodes: list[dict[str, Any]]) -> Rows:
    """A circuit's own groups of its nodes: two of one name, one node in both."""
    uid = f"{circuit}:supernodes"
    members = [nodes[:2], nodes[1:4]]
    clusters = [f"{uid}:{number}" for number in range(len(members))]
    return {
        "Clustering": [{"uid": uid, "method": "supernodes", "basis": "circuit nodes", "n_clusters": 2}],
        "Cluster": [
            {"uid": cluster, "name": "say", "size": len(some)} for cluster, some in zip(clusters, members, strict=True)
        ],
        "PART_OF": [{"source": cluster, "target": uid} for cluster in clusters],
        "MEMBER_OF.CircuitNode-Cluster": [
            {"source": node["uid"], "target": cluster, "ambiguous": True if node is some[0] else None}
            for cluster, some in zip(clusters, members, strict=True)
            for node in some
        ],
    }


def clustered() -> Rows:
    """Two clusterings of the features, with equal silhouettes and nulls; the second leaves some out."""
    rows = shared() | {"Clustering": [], "Cluster": [], "MEMBER_OF.Feature-Cluster": [], "PART_OF": []}
    every = [feature["uid"] for feature in rows["Feature"]]
    for method, members, stability in (
        ("k-means", [every[::2], every[1::2]], None),
        ("leiden", [every[:7], every[7:9], every[9:12]], 0.75),
    ):
        uid = f"clustering:{MODEL}:{method}:attribution-graph:0"
        sizes, n_features = " ".join(str(len(some)) for some in members), sum(map(len, members))
        figures: dict[str, Any] = {"stability": stability, "silhouette": 0.5, "modularity": -0.1 if stability else None}
        counts = {"n_clusters": len(members), "n_features": n_features, "left_out": len(every) - n_features}
        named = {"method": method, "basis": "attribution-graph", "params": "{}", "sizes": sizes}
        rows["Clustering"].append({"uid": uid, **named, **counts, **figures})
        for number, some in enumerate(members):
            cluster = f"{uid}:{number}"
            rows["Cluster"].append({"uid": cluster, "name": f'it\'s "{number}"', "size": len(some)})
            rows["PART_OF"].append({"source": cluster, "target": uid})
            for place, feature in enumerate(some):
                silhouette = None if place == 1 else 0.5 - place // 3 / 10
                rows["MEMBER_OF.Feature-Cluster"].append(
                    {"source": feature, "target": cluster, "silhouette": silhouette}
                )
    return rows


def dense() -> Rows:
    """A circuit with more paths than can be listed: 12 layers of 12 nodes, all joined to the next."""
    uid = DENSE_END.removesuffix(":metric")
    layers = [[f"{uid}:feature:{layer}:{index}" for index in range(12)] for layer in range(12)] + [[DENSE_END]]
    nodes = [{"uid": node, "kind": "feature", "layer": layer} for layer, row in enumerate(layers) for node in row]
    edges = [
        {"source": s, "target": t, "weight": 0.5} for lower, upper in pairwise(layers) for s in lower for t in upper
    ]
    numbers = {"n_nodes": len(nodes), "n_edges": len(edges)}
    return {
        "Circuit": [{"uid": uid, "name": "dense", "method": "none", "aggregation": "prompt", **numbers}],
        "CircuitNode": nodes,
        "ATTRIBUTES_TO": edges,
        "IN_CIRCUIT": [{"source": node["uid"], "target": uid} for node in nodes],
    }


def ablation(circuit: str, kind: str, n_nodes: int) -> dict[str, Any]:
    return {
        "uid": f"{circuit}:{kind}:{n_nodes}",
        "kind": kind,
        "baseline": "mean",
        "errors": "ablated",
        "n_nodes": n_nodes,
        "metric": 1.5,
        "faithfulness": {"faithfulness": 0.9, "random": 0.1, "cluster": 0.25}.get(kind),
        "low": 0.8 if kind == "faithfulness" else None,
        "split": "held-out",
        "n_pairs": 8,
        "seed": 1 if kind == "random" else None,
    }
