"""The schema's tables of a foreign circuit: uids, and everything that the circuit refers to.

Two files that say the same give the same tables, in whatever order they say it.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest.formats.foreign import ForeignCircuit, ForeignError, Group
from ingest.formats.format import Tables
from store.digest import blocks, content_hash, mapped, nulls, one, ranks
from store.schema import TABLES, Table
from store.uids import circuit_node_uid, circuit_uid, dictionary_uid, feature_uid, prompt_uid, short_hash, slug

Array = np.ndarray[Any, Any]
_Rows = dict[str, list[dict[str, Any]]]


def assembled(given: ForeignCircuit) -> Tables:
    """Raises ForeignError for nodes or edges that stand there twice."""
    local = _local_uids(given.nodes)
    order = pc.sort_indices(pa.array(local)).to_numpy()
    _refuse_repeated_nodes(local, order)
    names = pa.array(local).take(pa.array(order))
    nodes, edges = given.nodes.take(pa.array(order)), _sorted_edges(given.give_edges(), order)
    rows: _Rows = defaultdict(list)
    model = slug(str(given.model["name"]))
    rows["Model"].append({"uid": model, **given.model})
    dictionaries = _dictionaries(rows, model, given)
    node_table = _table(
        TABLES["CircuitNode"], {"uid": names} | _properties(nodes, TABLES["CircuitNode"]), nodes.num_rows
    )
    circuit = {
        "name": given.name,
        "method": given.method,
        "aggregation": "task" if given.prompt is None else "prompt",
        "n_nodes": nodes.num_rows,
        "n_edges": edges.num_rows,
        **given.circuit,
    }
    content = _content(node_table, _edge_table(edges, names), circuit, [given.prompt, given.task, sorted(dictionaries)])
    uid = circuit_uid(given.name[:80], model, content)
    names = pc.binary_join_element_wise(uid, names, "")
    rows["Circuit"].append({"uid": uid, **circuit})
    rows["OF_MODEL.Circuit-Model"].append(_relation(uid, model))
    rows["USES"] += [_relation(uid, dictionary) for dictionary in sorted(set(dictionaries))]
    run = {"command": "import", "params": "{}", **given.run}
    run_uid = f"run:import:{short_hash([run['command'], run['params'], run.get('versions'), run.get('seed'), content])}"
    rows["Run"].append({"uid": run_uid, **run})
    rows["PRODUCED_BY.Circuit-Run"].append(_relation(uid, run_uid))
    _subject(rows, given, uid)
    _groupings(rows, given, uid, run_uid, names, order)
    tables = {name: pa.Table.from_pylist(found, TABLES[name].schema) for name, found in rows.items()}
    tables["CircuitNode"] = node_table.set_column(0, "uid", names)
    tables["IN_CIRCUIT"] = _table(
        TABLES["IN_CIRCUIT"], {"source": names, "target": pa.repeat(uid, len(names))}, len(names)
    )
    tables |= _features(nodes, names, dictionaries)
    tables["ATTRIBUTES_TO"] = _edge_table(edges, names)
    return {name: table for name, table in tables.items() if table.num_rows}


def _local_uids(nodes: pa.Table) -> list[str]:
    """What each node's uid is after its circuit's."""
    given = [nodes[name].to_pylist() if name in nodes.column_names else [None] * nodes.num_rows
             for name in ("kind", "part", "layer", "index", "position")]  # fmt: skip
    return [
        circuit_node_uid("", f"{part}-{kind}" if part else kind, layer, index, position)
        for kind, part, layer, index, position in zip(*given, strict=True)
    ]


def _refuse_repeated_nodes(local: list[str], order: Array) -> None:
    for before, after in zip(order[:-1].tolist(), order[1:].tolist(), strict=True):
        if local[before] == local[after]:
            raise ForeignError(f"nodes[{after}] is the same node as nodes[{before}] "
                               f"({local[after][1:]}); a node may stand there once")  # fmt: skip


def _sorted_edges(edges: pa.Table, order: Array) -> pa.Table:
    """The edges between nodes as they stand in order of their uids, in the order of their keys."""
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    n = max(len(order), 1)
    key = mapped(rank, edges["source"].to_numpy()).astype(np.int64)
    key *= n
    key += mapped(rank, edges["target"].to_numpy())
    n_inputs = 1
    if "input" in edges.column_names and edges["input"].null_count < edges.num_rows:
        inputs, distinct = ranks(pc.fill_null(edges["input"], ""))
        n_inputs = len(distinct)
        key = key * n_inputs + inputs
    columns = dict(zip(edges.column_names, edges.columns, strict=True))
    del edges, columns["source"], columns["target"]
    if not np.all(key[1:] > key[:-1]):
        by_key = np.argsort(key)
        key = key[by_key]
        twice = np.flatnonzero(key[1:] == key[:-1])
        if len(twice):
            pairs = np.sort(np.stack([by_key[twice], by_key[twice + 1]]), axis=0)
            before, after = pairs[:, pairs[1].argmin()].tolist()
            raise ForeignError(f"edge {after} has the ends of edge {before} (counted from 0); "
                               "two nodes may be linked once (q, k and v count apart)")  # fmt: skip
        columns = {name: columns.pop(name).take(pa.array(by_key)) for name in list(columns)}
    source, target = np.empty(len(key), np.int32), np.empty(len(key), np.int32)
    for block in blocks(len(key)):
        np.divmod(key[block] // n_inputs, n, out=(source[block], target[block]), casting="unsafe")
    return pa.table({"source": source, "target": target} | columns)


def _edge_table(edges: pa.Table, names: pa.Array) -> pa.Table:
    """ATTRIBUTES_TO, with each uid held once."""
    ends = {end: pa.DictionaryArray.from_arrays(one(edges[end]), names) for end in ("source", "target")}
    rest = {name: edges[name] for name in edges.column_names if name not in ends}
    return pa.table(ends | rest)


def _content(nodes: pa.Table, edges: pa.Table, circuit: dict[str, Any], more: object) -> str:
    """A hash of all that the circuit is, but for what was measured on it."""
    total = hashlib.sha256()
    for name, table in (("CircuitNode", nodes), ("ATTRIBUTES_TO", edges)):
        of = _predicted(TABLES[name])
        total.update(content_hash(_table(of, _properties(table, of), table.num_rows), of).encode())
    kept = {column.name for column in _predicted(TABLES["Circuit"]).columns if not column.volatile}
    said = {key: circuit[key] for key in sorted(kept & set(circuit)) if circuit[key] is not None}
    total.update(json.dumps([said, more]).encode())
    return total.hexdigest()


def _predicted(of: Table) -> Table:
    return replace(of, columns=tuple(column for column in of.columns if not column.may_lack))


def _dictionaries(rows: _Rows, model: str, given: ForeignCircuit) -> list[str]:
    """Adds them; returns their uids."""
    uids = []
    for dictionary in given.dictionaries:
        hook = str(dictionary.properties["hook"])
        uids.append(dictionary_uid(model, f"{slug(dictionary.family)}:{hook}" if dictionary.family else hook))
        rows["Dictionary"].append({"uid": uids[-1], **dictionary.properties})
        rows["OF_MODEL.Dictionary-Model"].append(_relation(uids[-1], model))
    return uids


def _features(nodes: pa.Table, names: pa.Array, dictionaries: Sequence[str]) -> Tables:
    """The features that nodes are, each once, and what relates to them."""
    if "dictionary" not in nodes.column_names or nodes["dictionary"].null_count == nodes.num_rows:
        return {}
    columns = [nodes[name].to_pylist() for name in ("dictionary", "index", "layer")]
    labels = nodes["label"].to_pylist() if "label" in nodes.column_names else [None] * nodes.num_rows
    found: dict[str, dict[str, Any]] = {}
    instances = []
    for name, dictionary, index, layer, label in zip(names.to_pylist(), *columns, labels, strict=True):
        if dictionary is None:
            continue
        uid = feature_uid(dictionaries[dictionary], index)
        feature = found.setdefault(uid, {"uid": uid, "layer": layer, "index": index, "label": label})
        feature["label"] = max((told for told in (feature["label"], label) if told is not None), default=None)
        instances.append((name, uid, dictionaries[dictionary]))
    of = {uid: dictionary for _, uid, dictionary in instances}
    relations = {
        "INSTANCE_OF": [_relation(name, uid) for name, uid, _ in instances],
        "IN_DICTIONARY": [_relation(uid, dictionary) for uid, dictionary in of.items()],
    }
    rows = {"Feature": list(found.values()), **relations}
    return {name: pa.Table.from_pylist(made, TABLES[name].schema) for name, made in rows.items()}


def _subject(rows: _Rows, given: ForeignCircuit, circuit: str) -> None:
    """What the circuit was found on."""
    if given.prompt is not None:
        text, tokens = given.prompt
        uid = prompt_uid(text, tokens)
        rows["Prompt"].append({"uid": uid, "text": text, "tokens": tokens})
        rows["FOR_PROMPT"].append(_relation(circuit, uid))
    if given.task is not None:
        uid = f"task:{slug(str(given.task['name']))}:{short_hash(dict(given.task))}"
        rows["Task"].append({"uid": uid, **given.task})
        rows["FOR_TASK.Circuit-Task"].append(_relation(circuit, uid))


def _groupings(rows: _Rows, given: ForeignCircuit, circuit: str, run: str, names: pa.Array, order: Array) -> None:
    rank = np.argsort(order)
    kinds = given.nodes["kind"]
    for grouping in given.groupings:
        uid = f"{circuit}:{slug(grouping.method)}"
        members = {member for group in grouping.groups for member in group.members}
        rows["Clustering"].append(
            {
                "uid": uid,
                "method": grouping.method,
                "basis": "circuit nodes",
                "n_clusters": len(grouping.groups),
                "n_features": sum(kinds[member].as_py() == "feature" for member in members),
            }
        )
        rows["PRODUCED_BY.Clustering-Run"].append(_relation(uid, run))
        for number, group in enumerate(grouping.groups):
            cluster = f"{uid}:{number}"
            rows["Cluster"].append({"uid": cluster, "name": group.name, "size": len(set(group.members))})
            rows["PART_OF"].append(_relation(cluster, uid))
            for member, ambiguous in _members(group):
                row = _relation(names[int(rank[member])].as_py(), cluster)
                rows["MEMBER_OF.CircuitNode-Cluster"].append({**row, "ambiguous": ambiguous or None})


def _members(group: Group) -> Iterable[tuple[int, bool]]:
    flags = group.ambiguous or [False] * len(group.members)
    return dict(zip(group.members, flags, strict=True)).items()


def _properties(table: pa.Table, of: Table) -> dict[str, Any]:
    return {column.name: table[column.name] for column in of.columns if column.name in table.column_names}


def _table(of: Table, columns: dict[str, Any], n: int) -> pa.Table:
    """A table of the schema; columns not given are null."""
    made = [columns.get(column.name, nulls(n, column.type.arrow)) for column in of.columns]
    return pa.table(made, names=[column.name for column in of.columns])


def _relation(source: str, target: str) -> dict[str, Any]:
    return {"source": source, "target": target}
