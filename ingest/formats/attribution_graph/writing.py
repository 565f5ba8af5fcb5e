"""A circuit as an attribution graph's JSON, as circuit-tracer's page and Neuronpedia read it."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, BinaryIO

from ingest.formats.attribution_graph.influence import running_sums
from ingest.formats.attribution_graph.wire import (
    EMBEDDING,
    LOGIT,
    METADATA,
    OWN,
    PINNED,
    Q_PARAMS,
    SUPERNODES,
    cantor,
    error_type,
    old_error_id,
)
from ingest.formats.disassembly import rows, table
from ingest.formats.format import Tables
from store.errors import UsageError

_BATCH = 10_000
_Row = dict[str, Any]


def write(tables: Tables, out: BinaryIO) -> None:
    """What an attribution graph has no place for (ablations, observed effects) is left out.

    Raises UsageError for edges that only the input of a head tells apart.
    """
    if "input" in (edges := table(tables, "ATTRIBUTES_TO")).column_names and edges["input"].null_count < len(edges):
        raise UsageError("--format attribution-graph: it can't tell the q, k and v inputs of a head apart, into which "
                         "edges of this circuit lead: choose mib or graphml")  # fmt: skip
    circuit = rows(tables, "Circuit")[0]
    model = rows(tables, "Model")[0]
    params = _params(tables)
    nodes = _wire_nodes(tables, circuit["uid"], model, old_error_ids=bool(params.get("old_error_ids")))
    if not params.get("influences_as_given"):
        sums = running_sums([node["influence"] for node in nodes.values()])
        for node, node_sum in zip(nodes.values(), sums, strict=True):
            node["influence"] = node_sum
    ids = {uid: node["node_id"] for uid, node in nodes.items()}
    metadata = {
        **METADATA,
        **params.get("metadata", {}),
        "slug": circuit["name"],
        "scan": model["name"],
        **_prompt(tables, circuit, nodes.values()),
    }
    q_params = {**Q_PARAMS, **params.get("qParams", {}), **_sub_graph(tables, ids)}
    out.write(f'{{"metadata": {_json(metadata)},\n"qParams": {_json(q_params)},\n'.encode())
    out.writelines(f"{_json(key)}: {_json(value)},\n".encode() for key, value in params.get("more", {}).items())
    _write_array(out, "nodes", map(_json, nodes.values()))
    out.write(b",\n")
    _write_array(out, "links", _links(tables, ids))
    out.write(b"}\n")


def _wire_nodes(tables: Tables, circuit: str, model: _Row, *, old_error_ids: bool) -> dict[str, _Row]:
    """By uid, in the order of layer and position."""
    types = _feature_types(tables)
    taken: set[str] = set()
    made = {}
    for row in sorted(rows(tables, "CircuitNode"), key=lambda row: (row["layer"], row["position"] or 0, row["uid"])):
        local = row["uid"].removeprefix(f"{circuit}:")
        node = _wire_node(row, local, types.get(row["uid"]), old_error_ids=old_error_ids)
        if node["node_id"] in taken and not (row["kind"] in ("feature", "error") and old_error_ids):
            node["node_id"] = local  # dictionaries of several sites in a layer
        taken.add(node["node_id"])
        made[row["uid"]] = node
    return made


def _wire_node(row: _Row, local: str, feature_type: str | None, *, old_error_ids: bool) -> _Row:
    kind, layer, index, position = row["kind"], row["layer"], row["index"], row["position"]
    if kind == "feature":
        id, js, number = f"{layer}_{index}_{position}", f"{layer}_{index}-0", cantor(layer, index)
    elif kind == "error":
        id = old_error_id(layer, position) if old_error_ids else f"{layer}_-1_{position}"
        js, number = f"{layer}_-1-{position}", -1
        feature_type = error_type(local.partition("-")[0])
    elif kind == "token":
        id, js, number, feature_type = f"E_{index}_{position}", f"E_{index}-{position}", position or 0, EMBEDDING
    elif kind == "logit":
        layer += 1
        id, js, number, feature_type = f"{layer}_{index}_{position}", f"L_{index}-{position}", index or 0, LOGIT
    else:
        assert kind in OWN
        layer += kind == "metric"
        id, js, number, feature_type = local, local, index or 0, kind
    return {
        "node_id": id,
        "feature": number,
        "layer": "E" if layer < 0 else str(layer),
        "ctx_idx": position or 0,
        "feature_type": feature_type or "sae",
        "token_prob": row["probability"] or 0.0,
        "is_target_logit": bool(row["is_target"]),
        "run_idx": 0,
        "reverse_ctx_idx": 0,
        "jsNodeId": js,
        "clerp": row["label"] or "",
        "influence": row["influence"],
        "activation": row["activation"],
    }


def _feature_types(tables: Tables) -> dict[str, str]:
    """By uid of a circuit node: what its dictionary is called."""
    architecture = {row["uid"]: row["architecture"] for row in rows(tables, "Dictionary")}
    dictionary = {row["source"]: row["target"] for row in rows(tables, "IN_DICTIONARY")}
    return {row["source"]: architecture[dictionary[row["target"]]] for row in rows(tables, "INSTANCE_OF")}


def _links(tables: Tables, ids: Mapping[str, str]) -> Iterator[str]:
    """Readings of one ambiguous link are one link again."""
    seen = set()
    text = {uid: _json(id) for uid, id in ids.items()}
    for batch in table(tables, "ATTRIBUTES_TO").to_batches(_BATCH):
        columns = [batch[name].to_pylist() for name in ("source", "target", "weight", "ambiguous")]
        for source, target, weight, ambiguous in zip(*columns, strict=True):
            if ambiguous:
                ends = (ids[source], ids[target])
                if ends in seen:
                    continue
                seen.add(ends)
            yield f'{{"source": {text[source]}, "target": {text[target]}, "weight": {weight!r}}}'


def _sub_graph(tables: Tables, ids: Mapping[str, str]) -> _Row:
    method = {row["uid"]: row["method"] for row in rows(tables, "Clustering")}
    of = {row["source"]: method[row["target"]] for row in rows(tables, "PART_OF")}
    members = defaultdict(list)
    for row in rows(tables, "MEMBER_OF.CircuitNode-Cluster"):
        members[row["target"]].append(ids[row["source"]])
    clusters = sorted(rows(tables, "Cluster"), key=lambda row: int(row["uid"].rpartition(":")[2]))
    once = {row["uid"]: list(dict.fromkeys(members[row["uid"]])) for row in clusters}
    return {
        "pinnedIds": list(chain(*(once[row["uid"]] for row in clusters if of[row["uid"]] == PINNED))),
        "supernodes": [[row["name"], *once[row["uid"]]] for row in clusters if of[row["uid"]] == SUPERNODES],
    }


def _prompt(tables: Tables, circuit: _Row, nodes: Any) -> _Row:
    """A task's circuit has no prompt: its name, and as tokens the numbers of its positions."""
    for row in rows(tables, "Prompt"):
        return {"prompt": row["text"], "prompt_tokens": row["tokens"]}
    last = max((node["ctx_idx"] for node in nodes), default=-1)
    return {"prompt": circuit["name"], "prompt_tokens": [str(position) for position in range(last + 1)]}


def _params(tables: Tables) -> _Row:
    """What the file that the circuit was imported from said beside the circuit."""
    made_by = {row["target"] for row in rows(tables, "PRODUCED_BY.Circuit-Run")}
    for run in rows(tables, "Run"):
        if run["uid"] in made_by and run["command"] == "import":
            params: _Row = json.loads(run["params"])
            if params.get("format") == "attribution-graph":
                return params
    return {}


def _write_array(out: BinaryIO, key: str, elements: Iterator[str]) -> None:
    out.write(f'"{key}": [\n'.encode())
    batch: list[str] = []
    between = b""
    for element in elements:
        batch.append(element)
        if len(batch) == _BATCH:
            out.write(between + ",\n".join(batch).encode())
            between, batch = b",\n", []
    if batch:
        out.write(between + ",\n".join(batch).encode())
    out.write(b"\n]")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
