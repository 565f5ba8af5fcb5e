"""Random valid bundles, small or large, with every table of the schema that a circuit can have.

Bundles of different seeds share a model, dictionaries and features, and agree on their properties.
"""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from store.bundle import Bundle, write_bundle
from store.schema import TABLES
from store.uids import circuit_node_uid, circuit_uid, dictionary_uid, feature_uid

MODEL = "toy-model"
METRIC = "metric"


def random_bundle(folder: str | Path, seed: int = 0, **shape: Any) -> Bundle:
    """A valid bundle; see `random_tables` for its shape."""
    return write_bundle(folder, random_tables(seed, **shape), {"made by": "tests.graphs", "seed": seed})


def random_tables(
    seed: int = 0,
    n_circuits: int = 2,
    n_nodes: int = 20,
    n_edges: int = 40,
    n_features: int = 30,
    n_layers: int = 4,
    analyses: bool = False,
    inputs: bool = False,
) -> dict[str, pa.Table]:
    """Circuits over a pool of features that all seeds share: the first is a task's, the others are prompts'.

    n_nodes, n_edges: a circuit (fewer edges where so many can't be had). n_features: a dictionary.
    analyses: with matches and clusters of the features used. inputs: with edges that only their input tells apart.
    """
    rng = np.random.default_rng(seed)
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
    edges: list[pa.Table] = []
    rows["Model"].append(
        {"uid": MODEL, "name": MODEL, "revision": "r1", "n_layers": n_layers, "d_model": 8, "vocab_size": 100}
    )
    run = f"run:{seed}"
    rows["Run"].append({"uid": run, "command": "test", "params": "{}", "seed": seed, "seconds": 1.5})
    for layer in range(n_layers):
        uid = _dictionary(layer)
        hook = f"blocks.{layer}.hook_resid_post"
        rows["Dictionary"].append(
            {"uid": uid, "hook": hook, "layer": layer, "site": "resid", "d_in": 8, "n_features": n_features}
        )
        _relate(rows, "OF_MODEL.Dictionary-Model", uid, MODEL)
    used: set[tuple[int, int]] = set()
    for number in range(n_circuits):
        _circuit(rows, edges, used, rng, seed, number, n_nodes, n_edges, n_features, n_layers, run)
    if not n_circuits:
        used = {(layer, index) for layer in range(n_layers) for index in range(n_features)}
    for layer, index in sorted(used):
        _feature(rows, layer, index)
    if analyses:
        _analyses(rows, sorted(used), run)
    tables = {
        name: pa.Table.from_pylist(found, schema=TABLES[name].schema)
        for name, found in rows.items()
        if found and name != "ATTRIBUTES_TO"
    }
    if edges:
        tables["ATTRIBUTES_TO"] = pa.concat_tables(edges)
    if not n_circuits and not analyses:
        del tables["Run"]
    return _with_inputs(tables) if inputs and edges else tables


def small_tables() -> st.SearchStrategy[dict[str, pa.Table]]:
    """Tables of small bundles that share features."""
    return st.builds(
        random_tables,
        seed=st.integers(0, 10**6),
        n_circuits=st.integers(0, 3),
        n_nodes=st.integers(8, 16),
        n_edges=st.integers(0, 30),
        n_features=st.integers(1, 6),
        n_layers=st.integers(2, 4),
        analyses=st.booleans(),
    )


def _circuit(
    rows: dict[str, list[dict[str, Any]]],
    edges: list[pa.Table],
    used: set[tuple[int, int]],
    rng: np.random.Generator,
    seed: int,
    number: int,
    n_nodes: int,
    n_edges: int,
    n_features: int,
    n_layers: int,
    run: str,
) -> None:
    name = f"task-{seed}" if number == 0 else f"prompt-{seed}-{number}"
    shape = (seed, number, n_nodes, n_edges, n_features, n_layers)
    circuit = circuit_uid(name, MODEL, hashlib.sha256(repr(shape).encode()).hexdigest())
    nodes = _nodes(rng, n_nodes, n_features, n_layers)
    uids = []
    for node in nodes:
        uid = circuit_node_uid(circuit, node["kind"], node["layer"], node["index"], node["position"])
        uids.append(uid)
        rows["CircuitNode"].append({"uid": uid, **node})
        _relate(rows, "IN_CIRCUIT", uid, circuit)
        if node["kind"] == "feature":
            used.add((node["layer"], node["index"]))
            _relate(rows, "INSTANCE_OF", uid, feature_uid(_dictionary(node["layer"]), node["index"]))
    made = _edges(rng, uids, np.array([node["layer"] for node in nodes]), n_edges)
    edges.append(made)
    rows["Circuit"].append(
        {
            "uid": circuit,
            "name": name,
            "method": "attribution patching",
            "thresholds": '{"node": 0.01}',
            "aggregation": "prompt" if number else "task",
            "n_nodes": len(nodes),
            "n_edges": made.num_rows,
            "clean_metric": 2.0,
            "patch_metric": -1.0,
            "faithfulness": None if number else float(rng.normal(1, 0.1)),
            "observed_pairs": 8,
            "created_at": "2026-01-01T00:00:00Z",
        }
    )
    _relate(rows, "OF_MODEL.Circuit-Model", circuit, MODEL)
    _relate(rows, "PRODUCED_BY.Circuit-Run", circuit, run)
    for layer in range(n_layers):
        _relate(rows, "USES", circuit, _dictionary(layer))
    if number:
        prompt = f"prompt:{seed}:{number}"
        tokens = ["The", " key", f" {number}"]
        rows["Prompt"].append({"uid": prompt, "text": "".join(tokens), "tokens": tokens})
        _relate(rows, "FOR_PROMPT", circuit, prompt)
    else:
        task = f"task:{seed}"
        rows["Task"].append(
            {"uid": task, "name": name, "metric": "logit difference", "n_pairs": 8, "sha256": f"{seed:064x}"}
        )
        _relate(rows, "FOR_TASK.Circuit-Task", circuit, task)
    for kind, errors in (
        ("faithfulness", "kept"),
        ("faithfulness", "ablated"),
        ("random", "ablated"),
        ("feature", "kept"),
    ):
        ablation = f"{circuit}:{kind}:{errors}"
        rows["Ablation"].append(
            {
                "uid": ablation,
                "kind": kind,
                "baseline": "mean",
                "errors": errors,
                "n_nodes": 1 if kind == "feature" else len(nodes),
                "metric": float(rng.normal()),
                "faithfulness": float(rng.normal()),
                "split": "held-out",
                "n_pairs": 8,
                "seed": 1 if kind == "random" else None,
            }
        )
        _relate(rows, "TESTS", ablation, circuit)
        _relate(rows, "PRODUCED_BY.Ablation-Run", ablation, run)
        if not number:
            _relate(rows, "FOR_TASK.Ablation-Task", ablation, task)
        if kind == "feature":
            _relate(rows, "ABLATES.Ablation-CircuitNode", ablation, uids[0])
            layer, index = next((node["layer"], node["index"]) for node in nodes if node["kind"] == "feature")
            _relate(rows, "ABLATES.Ablation-Feature", ablation, feature_uid(_dictionary(layer), index))


def _nodes(rng: np.random.Generator, n: int, n_features: int, n_layers: int) -> list[dict[str, Any]]:
    """Tokens, features over all layers and positions, an error a layer, the metric."""
    n_tokens = min(4, max(1, n // 8))
    n_drawn = max(1, n - n_tokens - n_layers - 1)
    n_positions = max(2, -(-2 * n_drawn // (n_features * n_layers)))
    slots = rng.permutation(n_features * n_layers * n_positions)[:n_drawn]
    nodes: list[tuple[str, int, int | None, int | None]] = [("token", -1, int(100 + p), p) for p in range(n_tokens)]
    nodes += [("error", layer, None, n_positions - 1) for layer in range(n_layers)]
    for slot in slots.tolist():
        rest, position = divmod(slot, n_positions)
        layer, index = divmod(rest, n_features)
        nodes.append(("feature", layer, index, position))
    nodes.append((METRIC, n_layers, None, None))
    drawn = rng.normal(size=(len(nodes), 3)).tolist()
    return [
        {
            "kind": kind,
            "layer": layer,
            "index": index,
            "position": position,
            "token": None if position is None else f" t{position}",
            "effect": effect if kind != "feature" or i % 3 else None,
            "observed_effect": observed if i % 2 else None,
            "activation": abs(activation) if kind == "feature" else None,
            "dominates": i % 3 == 0 if i % 5 else None,
        }
        for i, ((kind, layer, index, position), (effect, observed, activation)) in enumerate(
            zip(nodes, drawn, strict=True)
        )
    ]


def _edges(rng: np.random.Generator, uids: list[str], layer: Any, n_edges: int) -> pa.Table:
    """Random edges from lower to higher layers, no two alike; the metric is entered from the last layer's nodes."""
    n = len(uids)
    a, b = rng.integers(0, n, 4 * n_edges), rng.integers(0, n, 4 * n_edges)
    pairs = np.unique(np.where(layer[a] < layer[b], a * n + b, b * n + a)[layer[a] != layer[b]])
    pairs = np.sort(rng.permutation(pairs)[:n_edges])
    names = pa.array(uids)
    weight, observed = rng.normal(size=len(pairs)), rng.normal(size=len(pairs))
    return pa.table(
        {
            "source": names.take(pa.array(pairs // n)),
            "target": names.take(pa.array(pairs % n)),
            "weight": weight,
            "observed": pa.array(observed, mask=np.arange(len(pairs)) % 3 > 0),
            "ambiguous": pa.nulls(len(pairs), pa.bool_()),
        },
    )


def _with_inputs(tables: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """Each second edge of a circuit is moved beside the one before it, and enters another input."""
    rows = tables["ATTRIBUTES_TO"].to_pylist()
    circuits = tables["Circuit"]["uid"].to_pylist()
    for before, row in zip(rows[::2], rows[1::2], strict=False):
        if any(before["source"].startswith(f"{uid}:") and row["source"].startswith(f"{uid}:") for uid in circuits):
            row |= {"source": before["source"], "target": before["target"], "input": "q"}
            before["input"] = "k" if row["weight"] > 0 else None
    return tables | {"ATTRIBUTES_TO": pa.Table.from_pylist(rows, schema=TABLES["ATTRIBUTES_TO"].schema)}


def _feature(rows: dict[str, list[dict[str, Any]]], layer: int, index: int) -> None:
    uid = feature_uid(_dictionary(layer), index)
    rows["Feature"].append(
        {
            "uid": uid,
            "layer": layer,
            "index": index,
            "label": f"feature {index}" if index % 4 else None,
            "top_tokens": [f" a{index}", " é"],
            "density": index / 1000,
        }
    )
    _relate(rows, "IN_DICTIONARY", uid, _dictionary(layer))


def _analyses(rows: dict[str, list[dict[str, Any]]], used: list[tuple[int, int]], run: str) -> None:
    """Each feature matched with one of the next layer, and two clusters."""
    clustering, clusters = "clustering:1", ["cluster:1:0", "cluster:1:1"]
    rows["Clustering"].append({"uid": clustering, "method": "k-means", "silhouette": 0.5})
    _relate(rows, "PRODUCED_BY.Clustering-Run", clustering, run)
    for number, cluster in enumerate(clusters):
        size = sum(index % 2 == number for _, index in used)
        rows["Cluster"].append({"uid": cluster, "name": f"cluster {number}", "size": size})
        _relate(rows, "PART_OF", cluster, clustering)
    next_of = dict(used)
    for layer, index in used:
        uid = feature_uid(_dictionary(layer), index)
        _relate(rows, "MEMBER_OF.Feature-Cluster", uid, clusters[index % 2])
        if layer + 1 in next_of:
            target = feature_uid(_dictionary(layer + 1), next_of[layer + 1])
            rows["MATCHES"].append(
                {"source": uid, "target": target, "method": "cosine", "score": 1 / (1 + index), "rank": 1}
            )
    for layer in sorted({layer for layer, _ in used if layer + 1 in next_of}):
        ends = {"source": _dictionary(layer), "target": _dictionary(layer + 1)}
        rows["MATCHED"].append({**ends, "method": "cosine", "n_matches": len(used), "confirmed": 0.5})


def _dictionary(layer: int) -> str:
    return dictionary_uid(MODEL, f"blocks.{layer}.hook_resid_post")


def _relate(rows: dict[str, list[dict[str, Any]]], name: str, source: str, target: str) -> None:
    rows[name].append({"source": source, "target": target})
