"""A circuit as GraphML."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO
from xml.sax.saxutils import escape, quoteattr

import pyarrow as pa

from ingest.formats.disassembly import disassembled
from ingest.formats.foreign import ForeignCircuit
from ingest.formats.format import Tables
from ingest.formats.graphml.attributes import EDGE, GRAPH, JSON, NODE, XML_TYPES, name_of
from ingest.formats.graphml.document import NAMESPACE
from store.schema import Type

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CARRIAGE_RETURN = {"\r": "&#13;"}
"""XML reads a bare one as a line's end."""


def write(tables: Tables, out: BinaryIO) -> None:
    """What GraphML has no place for (ablations, what is known of features) is left out."""
    circuit = disassembled(tables)
    uid = tables["Circuit"]["uid"][0].as_py()
    ids = [name.removeprefix(f"{uid}:") for name in tables["CircuitNode"]["uid"].to_pylist()]
    graph = {name: pa.array([value]) for name, value in _graph(circuit, ids).items()}
    named = [None if number is None else name_of(circuit.dictionaries[number])
             for number in circuit.nodes["dictionary"].to_pylist()]  # fmt: skip
    nodes = {name: circuit.nodes[name] for name in circuit.nodes.column_names} | {"dictionary": pa.array(named)}
    edges = {name: circuit.edges[name] for name in circuit.edges.column_names if name in EDGE}
    out.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="{NAMESPACE}">\n'.encode())
    wires = [_Wire(of, types, columns) for of, types, columns in
             (("graph", GRAPH, graph), ("node", NODE, nodes), ("edge", EDGE, edges))]  # fmt: skip
    for wire in wires:
        out.writelines(f"{line}\n".encode() for line in wire.declared())
    out.write(b'<graph edgedefault="directed">\n')
    of_graph, of_nodes, of_edges = (wire.data() for wire in wires)
    out.write(f"{next(of_graph)}\n".encode())
    for id, data in zip(ids, of_nodes, strict=True):
        out.write(f"<node id={quoteattr(id)}>{data}</node>\n".encode())
    ends = [circuit.edges[end].to_pylist() for end in ("source", "target")]
    for source, target, data in zip(*ends, of_edges, strict=True):
        out.write(f"<edge source={quoteattr(ids[source])} target={quoteattr(ids[target])}>{data}</edge>\n".encode())
    out.write(b"</graph>\n</graphml>\n")


class _Wire:
    """The attributes of a kind of element: keys, and the data of each."""

    def __init__(self, of: str, types: Mapping[str, Type], columns: Mapping[str, Any]) -> None:
        self._of = of
        self._columns = {name: (types[name], columns[name].to_pylist()) for name in types if name in columns}
        self._as_json = {
            name
            for name, (type_, values) in self._columns.items()
            if type_ is Type.STRING and any(value is not None and _NOT_XML.search(value) for value in values)
        }

    def declared(self) -> Iterator[str]:
        for name, (type_, _) in self._columns.items():
            shown = f"{JSON}{name}" if name in self._as_json else name
            yield (f'<key id="{self._of}.{name}" for="{self._of}" attr.name="{shown}" '
                   f'attr.type="{XML_TYPES[type_]}"/>')  # fmt: skip

    def data(self) -> Iterator[str]:
        """Of each element."""
        names = list(self._columns)
        for row in zip(*(self._texts(name) for name in names), strict=True):
            yield "".join(f'<data key="{self._of}.{name}">{text}</data>' for name, text in zip(names, row, strict=True)
                          if text is not None)  # fmt: skip

    def _texts(self, name: str) -> Iterable[str | None]:
        type_, values = self._columns[name]
        if name in self._as_json:
            return (None if value is None else escape(json.dumps(value)) for value in values)
        if type_ is Type.STRING:
            return (None if value is None else escape(value, _CARRIAGE_RETURN) for value in values)
        return (None if value is None else str(value).lower() if type_ is Type.BOOL else repr(value)
                for value in values)  # fmt: skip


def _graph(circuit: ForeignCircuit, ids: list[str]) -> dict[str, str]:
    said: dict[str, Any] = {
        "model": circuit.model,
        "dictionaries": [{"properties": dict(one.properties), "family": one.family} for one in circuit.dictionaries],
        "prompt": None if circuit.prompt is None else dict(zip(("text", "tokens"), circuit.prompt, strict=True)),
        "task": circuit.task,
        "circuit": circuit.circuit,
        "run": circuit.run,
        "groupings": [
            {
                "method": grouping.method,
                "groups": [
                    {
                        "name": group.name,
                        "members": [ids[member] for member in group.members],
                        "ambiguous": list(group.ambiguous or [False] * len(group.members)),
                    }
                    for group in grouping.groups
                ],
            }
            for grouping in circuit.groupings
        ],
    }
    texts = {"name": circuit.name, "method": circuit.method}
    return texts | {name: json.dumps(value) for name, value in said.items() if value}
