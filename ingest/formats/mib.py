"""Circuits of heads and MLPs in the JSON of the MIB benchmark's circuit track: what EAP-IG's `Graph.to_json` writes.

`cfg` is the model's shape; `nodes` are `input`, `a{layer}.h{head}`, `m{layer}` and `logits`; an edge is named
`source->target`, with `<q>`, `<k>` or `<v>` behind a head. All edges stand there with their scores, and `in_graph` says
which of them the circuit has. The model's name stands nowhere; what this program adds stands under the key
`circuitstore`, which EAP-IG passes over.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import PurePath
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa

from ingest.formats.assembly import assembled
from ingest.formats.disassembly import disassembled
from ingest.formats.foreign import ForeignCircuit, ForeignError
from ingest.formats.format import Format, Source, Tables
from ingest.formats.json_stream import JsonStream
from store.errors import UsageError

INPUT, LOGITS = "input", "logits"
_KEYS = ("cfg", "nodes", "edges")
_CFG = ("n_layers", "n_heads", "d_model")
_HEAD = re.compile(r"a(0|[1-9]\d{0,3})\.h(0|[1-9]\d{0,3})")
_MLP = re.compile(r"m(0|[1-9]\d{0,3})")
_EDGE = re.compile(r"([^<>]+)->([^<>]+?)(?:<([qkv])>)?")


class Place(NamedTuple):
    """Where a node stands: what it reads comes from places of less `depth`."""

    kind: str
    layer: int
    head: int | None
    depth: int


def sniff(name: str, head: bytes) -> bool:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    return start.startswith(b"{") and b'"cfg"' in start and b'"n_heads"' in start


def read(source: Source) -> Iterator[Tables]:
    """The one circuit of a file. Raises ImportFormatError."""
    said: dict[str, Any] = {}
    with closing(JsonStream(source)) as stream:
        for key in stream.members():
            if key in (*_KEYS, "circuitstore"):
                said[key] = stream.value(key)
            else:
                stream.refuse(f"the key {key!r} is none of a MIB circuit ({', '.join(_KEYS)})")
    for key in _KEYS:
        if not isinstance(said.get(key), dict):
            raise source.refuse(f"{key} is {'no object' if key in said else 'missing'}: a MIB circuit has "
                                f"{', '.join(_KEYS)}")  # fmt: skip
    with source.named():
        yield assembled(_foreign(source, said))


def _foreign(source: Source, said: Mapping[str, Any]) -> ForeignCircuit:
    cfg = said["cfg"]
    for key in _CFG:
        _check(type(cfg.get(key)) is int and 0 < cfg[key] < 2**20, f"cfg.{key}", cfg.get(key), "a positive integer")
    parallel = cfg.get("parallel_attn_mlp", False)
    _check(isinstance(parallel, bool), "cfg.parallel_attn_mlp", parallel, "true or false")
    places = {name: _place(name, cfg, parallel) for name in said["nodes"]}
    own = said.get("circuitstore", {})
    _check(isinstance(own, dict) and all(isinstance(value, str) for value in own.values()), "circuitstore", own,
           "an object of texts")  # fmt: skip
    shape = f"transformer-{cfg['n_layers']}-layers-{cfg['n_heads']}-heads-{cfg['d_model']}"
    return ForeignCircuit(
        name=own.get("name") or PurePath(source.name).name.partition(".")[0],
        method=own.get("method") or "edge scores, MIB",
        model={
            "name": source.model_name(own.get("model"), shape),
            "n_layers": cfg["n_layers"],
            "d_model": cfg["d_model"],
        },
        nodes=_nodes(said["nodes"], places),
        edges=_edges(said["edges"], places),
        run={"params": json.dumps({"format": "mib", "cfg": cfg}, sort_keys=True)},
    )


def _place(name: str, cfg: Mapping[str, Any], parallel: bool) -> Place:
    """The place of a node. In each block heads read before the MLP does, unless they stand side by side."""
    n_layers = cfg["n_layers"]
    if name == INPUT:
        return Place("token", -1, None, -1)
    if name == LOGITS:
        return Place("metric", n_layers, None, 2 * n_layers)
    head, mlp = _HEAD.fullmatch(name), _MLP.fullmatch(name)
    found = head or mlp
    if not found or int(found[1]) >= n_layers or (head and int(head[2]) >= cfg["n_heads"]):
        raise ForeignError(f"nodes[{name!r}] is no node of a model of {n_layers} layers with {cfg['n_heads']} heads: "
                           "nodes are input, a0.h0 …, m0 … and logits")  # fmt: skip
    layer = int(found[1])
    if head:
        return Place("head", layer, int(head[2]), 2 * layer)
    return Place("mlp", layer, None, 2 * layer + (not parallel))


def _nodes(said: Mapping[str, Any], places: Mapping[str, Place]) -> pa.Table:
    effects, kept = [], []
    for name, node in said.items():
        where = f"nodes[{name!r}]"
        _check(isinstance(node, dict), where, node, "an object")
        for key in ("neurons", "neurons_scores"):
            if key in node:
                raise ForeignError(f"{where}.{key}: single neurons have no place in the store; "
                                   "export the graph without neurons")  # fmt: skip
        _members(where, node, ("in_graph", "score"))
        _check(isinstance(node.get("in_graph"), bool), f"{where}.in_graph", node.get("in_graph"), "true or false")
        _check(node.get("score") is None or _is_number(node["score"]), f"{where}.score", node.get("score"), "a number")
        effects.append(node.get("score"))
        kept.append(node["in_graph"])
    columns = list(zip(*places.values(), strict=True)) or [(), (), (), ()]
    return pa.table(
        {
            "kind": pa.array(columns[0], pa.string()),
            "layer": pa.array(columns[1], pa.int64()),
            "index": pa.array(columns[2], pa.int64()),
            "effect": pa.array(effects, pa.float64()),
            "label": pa.array(list(places), pa.string()),
            "in_circuit": pa.array(kept, pa.bool_()),
        }
    )


def _edges(said: Mapping[str, Any], places: Mapping[str, Place]) -> pa.Table:
    number = {name: place for place, name in enumerate(places)}
    columns: dict[str, list[Any]] = {key: [] for key in ("source", "target", "weight", "input", "in_circuit")}
    for name, edge in said.items():
        match = _EDGE.fullmatch(name)
        if match is None:
            raise ForeignError(f"edges[{name!r}]: an edge is named source->target, with <q>, <k> or <v> behind a head")
        source, target, letter = match.groups()
        for end in (source, target):
            if end not in places:
                raise ForeignError(f"edges[{name!r}]: nodes has no {end!r}; add the node or remove the edge")
        if places[source].depth >= places[target].depth:
            raise ForeignError(f"edges[{name!r}]: {target} can't read what {source} writes; remove the edge")
        if (letter is None) == (places[target].kind == "head"):
            raise ForeignError(f"edges[{name!r}]: edges into a head, and no others, end in <q>, <k> or <v>")
        where = f"edges[{name!r}]"
        _check(isinstance(edge, dict), where, edge, "an object")
        _members(where, edge, ("score", "in_graph"))
        _check(_is_number(edge.get("score")), f"{where}.score", edge.get("score"), "a number")
        _check(isinstance(edge.get("in_graph"), bool), f"{where}.in_graph", edge.get("in_graph"), "true or false")
        for key, value in zip(
            columns, (number[source], number[target], edge["score"], letter, edge["in_graph"]), strict=True
        ):
            columns[key].append(value)
    types = (pa.int32(), pa.int32(), pa.float64(), pa.string(), pa.bool_())
    return pa.table({key: pa.array(columns[key], type_) for key, type_ in zip(columns, types, strict=True)})


def _members(where: str, said: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in said:
        if key not in known:
            raise ForeignError(f"{where}.{key}: what this means is not known, only {' and '.join(known)}; remove it")


def _check(right: bool, where: str, found: Any, wanted: str) -> None:
    if not right:
        raise ForeignError(f"{where} is {'missing' if found is None else json.dumps(found)[:60]}; it must be {wanted}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def write(tables: Tables, out: BinaryIO) -> None:
    """Raises UsageError for a circuit of anything but heads and MLPs."""
    circuit = disassembled(tables)
    cfg = _cfg(circuit)
    names = [_name(row) for row in circuit.nodes.select(["kind", "layer", "index"]).to_pylist()]
    own = {"name": circuit.name, "model": circuit.model["name"], "method": circuit.method}
    nodes = {}
    for name, row in zip(names, circuit.nodes.to_pylist(), strict=True):
        score = {} if row.get("effect") is None else {"score": row["effect"]}
        nodes[name] = {"in_graph": row.get("in_circuit") is not False, **score}
    order = {name: _place(name, cfg, cfg.get("parallel_attn_mlp", False)) for name in names}
    nodes = {name: nodes[name] for name in sorted(nodes, key=lambda name: (order[name].depth, order[name].head or 0))}
    edges = {}
    for row in circuit.edges.to_pylist():
        letter = row.get("input")
        name = f"{names[row['source']]}->{names[row['target']]}{f'<{letter}>' if letter else ''}"
        edges[name] = {"score": row["weight"], "in_graph": row.get("in_circuit") is not False}
    said = {"cfg": cfg, "nodes": nodes, "edges": edges, "circuitstore": own}
    out.write(json.dumps(said, ensure_ascii=False, allow_nan=False).encode())


def _cfg(circuit: ForeignCircuit) -> dict[str, Any]:
    """What the file said that it came from; else as few heads as the circuit has."""
    said = json.loads(str(circuit.run.get("params") or "{}"))
    if said.get("format") == "mib":
        return dict(said["cfg"])
    heads = [row["index"] for row in circuit.nodes.to_pylist() if row["kind"] == "head"]
    shape = {key: circuit.model.get(key) for key in ("n_layers", "d_model")}
    if None in shape.values():
        raise UsageError(f"--format mib: the model's {' and '.join(shape)} must be known, and are not: choose graphml")
    return {**shape, "n_heads": max(heads, default=0) + 1, "parallel_attn_mlp": False}


def _name(node: Mapping[str, Any]) -> str:
    match node:
        case {"kind": "token", "index": None}:
            return INPUT
        case {"kind": "metric"}:
            return LOGITS
        case {"kind": "head", "layer": layer, "index": index}:
            return f"a{layer}.h{index}"
        case {"kind": "mlp", "layer": layer}:
            return f"m{layer}"
    raise UsageError(f"--format mib: it knows heads, MLPs, input and logits, and this circuit has a node of kind "
                     f"{node['kind']}: choose attribution-graph or graphml")  # fmt: skip


FORMAT = Format("mib", ".json", "Circuits of heads and MLPs, in the JSON of the MIB benchmark.", sniff, read, write)
