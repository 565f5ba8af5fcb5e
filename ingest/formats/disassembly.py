"""A foreign circuit of the schema's tables: the way back from `assembly.py`.

What a foreign circuit has no place for is left out: ablations, and what is known of features beyond their place.
"""

from typing import Any

import pyarrow as pa

from ingest.formats.foreign import ForeignCircuit, ForeignDictionary, Group, Grouping
from ingest.formats.format import Tables
from store.schema import TABLES

_Row = dict[str, Any]


def disassembled(tables: Tables) -> ForeignCircuit:
    """tables: of one circuit, with all that it refers to."""
    circuit = rows(tables, "Circuit")[0]
    uid = circuit["uid"]
    model, dictionaries = rows(tables, "Model")[0], rows(tables, "Dictionary")
    names = tables["CircuitNode"]["uid"]
    number = {name: place for place, name in enumerate(names.to_pylist())}
    return ForeignCircuit(
        name=circuit["name"],
        method=circuit["method"],
        model=_said(model),
        nodes=_nodes(tables, uid, {row["uid"]: place for place, row in enumerate(dictionaries)}),
        edges=_edges(tables, names),
        dictionaries=[ForeignDictionary(_said(row), _family(row, model["uid"])) for row in dictionaries],
        prompt=next(((row["text"], row["tokens"]) for row in rows(tables, "Prompt")), None),
        task=next((_said(row) for row in rows(tables, "Task")), None),
        circuit={key: value for key, value in _said(circuit).items() if key not in _MADE},
        run=_run(tables, uid),
        groupings=_groupings(tables, number),
    )


def table(tables: Tables, name: str) -> pa.Table:
    """A table; one without rows where the circuit has none of that name."""
    return tables[name] if name in tables else TABLES[name].schema.empty_table()


def rows(tables: Tables, name: str) -> list[_Row]:
    made: list[_Row] = table(tables, name).to_pylist()
    return made


_MADE = {"name", "method", "aggregation", "n_nodes", "n_edges"}
"""What assembly says of a circuit by itself."""


def _said(row: _Row) -> _Row:
    return {key: value for key, value in row.items() if key != "uid" and value is not None}


def _family(dictionary: _Row, model: str) -> str:
    rest = dictionary["uid"].removeprefix(f"{model}:").removesuffix(dictionary["hook"])
    return str(rest.removesuffix(":"))


def _nodes(tables: Tables, circuit: str, dictionaries: dict[str, int]) -> pa.Table:
    """With what the uids say beside the columns."""
    nodes = tables["CircuitNode"]
    of_feature = {row["source"]: row["target"] for row in rows(tables, "IN_DICTIONARY")}
    feature_of = {row["source"]: row["target"] for row in rows(tables, "INSTANCE_OF")}
    part, dictionary = [], []
    for uid, kind in zip(nodes["uid"].to_pylist(), nodes["kind"].to_pylist(), strict=True):
        marked = uid.removeprefix(f"{circuit}:").partition(":")[0]
        part.append(marked.removesuffix(f"-{kind}") if marked != kind else None)
        dictionary.append(dictionaries.get(of_feature.get(feature_of.get(uid, ""), "")))
    columns = {name: nodes[name] for name in nodes.column_names if name != "uid" and _says_something(nodes[name])}
    return pa.table(columns | {"part": pa.array(part, pa.string()), "dictionary": pa.array(dictionary, pa.int32())})


def _says_something(column: pa.ChunkedArray) -> bool:
    return bool(column.null_count < len(column))


def _edges(tables: Tables, names: pa.ChunkedArray) -> pa.Table:
    edges = table(tables, "ATTRIBUTES_TO")
    ends = {
        end: pa.compute.index_in(edges[end].cast(pa.string()), names).cast(pa.int32()) for end in ("source", "target")
    }
    rest = {name: edges[name] for name in edges.column_names if name not in ends}
    return pa.table(ends | {name: rest[name] for name in rest if name == "weight" or _says_something(rest[name])})


def _run(tables: Tables, circuit: str) -> _Row:
    made_by = {row["target"] for row in rows(tables, "PRODUCED_BY.Circuit-Run") if row["source"] == circuit}
    return next((_said(row) for row in rows(tables, "Run") if row["uid"] in made_by), {})


def _groupings(tables: Tables, number: dict[str, int]) -> list[Grouping]:
    """Those of the circuit's own nodes."""
    members: dict[str, list[_Row]] = {}
    for row in rows(tables, "MEMBER_OF.CircuitNode-Cluster"):
        members.setdefault(row["target"], []).append(row)
    name = {row["uid"]: row["name"] for row in rows(tables, "Cluster")}
    made = []
    for clustering in rows(tables, "Clustering"):
        clusters = [row["source"] for row in rows(tables, "PART_OF") if row["target"] == clustering["uid"]]
        groups = []
        for cluster in sorted(clusters, key=lambda uid: int(uid.rpartition(":")[2])):
            inside = members.get(cluster, [])
            ambiguous = [bool(row["ambiguous"]) for row in inside]
            groups.append(Group(name[cluster], [number[row["source"]] for row in inside], ambiguous))
        made.append(Grouping(clustering["method"], groups))
    return made
