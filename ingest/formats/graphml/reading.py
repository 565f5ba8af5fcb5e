"""A GraphML file as a foreign circuit."""

import json
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePath
from typing import Any

import pyarrow as pa

from ingest.formats.assembly import assembled
from ingest.formats.foreign import ForeignCircuit, ForeignDictionary, Group, Grouping
from ingest.formats.format import Source, Tables
from ingest.formats.graphml.attributes import JSON, KINDS, LISTS, NODE, OBJECTS, OF, TEXTS, name_of
from ingest.formats.graphml.document import Document
from ingest.formats.json_stream import DECODE_ERRORS, strict
from store.schema import TABLES, Type

_HOOK = re.compile(r"blocks\.(\d{1,4})\.hook_(resid_post|mlp_out|attn_out)")
_LABELS = {"model": "Model", "task": "Task", "circuit": "Circuit", "run": "Run"}
"""What the rows are of that stand as JSON."""


def sniff(name: str, head: bytes) -> bool:
    return b"<graphml" in head.replace(b"\0", b"")  # UTF-16 has a zero beside each letter


def read(source: Source) -> Iterator[Tables]:
    """The one circuit of a file. Raises ImportFormatError, with the line where the file is wrong."""
    with source.named():
        yield assembled(_Circuit(source).foreign())


_MADE = {"Circuit": ("name", "method", "aggregation", "n_nodes", "n_edges")}
"""What stands elsewhere, or follows from the rest."""


class _Circuit:
    """What was read of a document so far."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._nodes: dict[str, list[Any]] = defaultdict(list)
        self._edges: dict[str, list[Any]] = defaultdict(list)
        self._number: dict[str, int] = {}
        self._lines: list[int] = []
        """Of the edges."""
        self._graph: dict[str, Any] = {}
        self._id = ""
        self._document = Document(source, self._take)

    def foreign(self) -> ForeignCircuit:
        self._document.read()
        self._check_ends()
        graph = self._graph
        model = graph.get("model", {})
        dictionaries, numbers = self._dictionaries()
        nodes = {name: pa.array(values, NODE[name].arrow) for name, values in self._nodes.items()
                 if name != "dictionary" and any(value is not None for value in values)}  # fmt: skip
        edge = {column.name: column.type.arrow for column in TABLES["ATTRIBUTES_TO"].properties}
        ends = {
            end: pa.array([self._number[id] for id in self._edges[end]], pa.int32()) for end in ("source", "target")
        }
        given = {"weight": [], **self._edges}
        values = {name: pa.array(given[name], edge[name]) for name in edge
                  if name == "weight" or any(value is not None for value in given.get(name, ()))}  # fmt: skip
        required = {name: nodes.get(name, pa.array([], NODE[name].arrow)) for name in ("kind", "layer")}
        prompt = graph.get("prompt")
        return ForeignCircuit(
            name=graph.get("name") or self._id or PurePath(self._source.name).name.partition(".")[0],
            method=graph.get("method") or "GraphML",
            model={**model, "name": self._source.model_name(model.get("name"), "unnamed")},
            nodes=pa.table(nodes | required | {"dictionary": pa.array(numbers, pa.int32())}),
            edges=pa.table(ends | values),
            dictionaries=dictionaries,
            prompt=None if prompt is None else (prompt["text"], prompt["tokens"]),
            task=graph.get("task"),
            circuit=graph.get("circuit", {}),
            run=graph.get("run", {"params": json.dumps({"format": "graphml"})}),
            groupings=self._groupings(),
        )

    def _take(self, of: str, attributes: Mapping[str, str], data: Mapping[str, str], line: int) -> None:
        values = {name.removeprefix(JSON): self._value(of, name, text, line) for name, text in data.items()}
        if of == "graph":
            self._id, self._graph = attributes.get("id", ""), values
        elif of == "node":
            self._take_node(attributes.get("id"), values, line)
        else:
            for end in ("source", "target"):
                if end not in attributes:
                    self._document.refuse(f"the edge has no {end}", line)
            if values.get("weight") is None:
                self._document.refuse("the edge has no weight; give each edge a number of that name", line)
            _add(self._edges, len(self._lines), {end: attributes[end] for end in ("source", "target")} | values)
            self._lines.append(line)

    def _take_node(self, id: str | None, values: dict[str, Any], line: int) -> None:
        if id is None:
            self._document.refuse("the node has no id", line)
        if id in self._number:
            self._document.refuse(f"another node has the id {id!r}", line)
        if values.get("kind") not in KINDS or values.get("layer") is None:
            self._document.refuse(f"the node {id!r} must have a kind ({', '.join(KINDS)}) and a layer (-1 for tokens)",
                                  line)  # fmt: skip
        if values.get("dictionary") is not None and (values["kind"] != "feature" or values.get("index") is None):
            self._document.refuse(f"the node {id!r} has a dictionary and is no feature with an index", line)
        _add(self._nodes, len(self._number), values)
        self._number[id] = len(self._number)

    def _value(self, of: str, name: str, text: str, line: int) -> Any:
        plain = name.removeprefix(JSON)
        if plain not in OF[of]:
            self._document.refuse(f"{of}s of a circuit have no {name!r}, but {', '.join(OF[of])}; "
                                  "rename or remove it", line)  # fmt: skip
        try:
            if plain != name:
                return _text(strict(text.encode()))
            if of == "graph":
                return _of_graph(name, text)
            return _PARSE[OF[of][name]](text)
        except (TypeError, *DECODE_ERRORS) as error:
            self._document.refuse(f"the {of}'s {name}: {error}", line)

    def _check_ends(self) -> None:
        for end in ("source", "target"):
            for place, id in enumerate(self._edges[end]):
                if id not in self._number:
                    what = f"the edge's {end}: no node has the id {id!r}; add the node or remove the edge"
                    self._document.refuse(what, self._lines[place])

    def _dictionaries(self) -> tuple[list[ForeignDictionary], list[int | None]]:
        """Those that the graph lists, or that nodes name by their hook; and the number of each node's."""
        named = self._nodes.get("dictionary", [])
        known = {name_of(one): one for one in self._graph.get("dictionaries", [])}
        for name, layer in zip(named, self._nodes["layer"], strict=False):
            if name is not None and name not in known:
                match = _HOOK.fullmatch(name)
                if match is None or int(match[1]) != layer:
                    raise self._source.refuse(f"the dictionary {name!r} is neither among the graph's dictionaries nor "
                                              f"a hook of layer {layer} (blocks.{layer}.hook_resid_post)")  # fmt: skip
                properties = {"hook": name, "layer": layer, "site": match[2].partition("_")[0]}
                known[name] = ForeignDictionary(properties)
        number = {name: place for place, name in enumerate(known)}
        numbers = [number.get(name) for name in named]
        return list(known.values()), numbers + [None] * (len(self._number) - len(numbers))

    def _groupings(self) -> list[Grouping]:
        made = []
        for grouping in self._graph.get("groupings", []):
            groups = []
            for group in grouping["groups"]:
                for id in group["members"]:
                    if id not in self._number:
                        raise self._source.refuse(f"the graph's groupings: no node has the id {id!r}")
                members = [self._number[id] for id in group["members"]]
                groups.append(Group(group["name"], members, group["ambiguous"]))
            made.append(Grouping(grouping["method"], groups))
        return made


def _add(columns: dict[str, list[Any]], n: int, values: Mapping[str, Any]) -> None:
    """One more row, behind n others. A column that comes late was null so far."""
    for name in (*columns, *(name for name in values if name not in columns)):
        columns[name] += [None] * (n - len(columns[name]))
        columns[name].append(values.get(name))


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is not finite")
    return value


def _integer(text: str) -> int:
    if not re.fullmatch(r"\s*[+-]?\d{1,19}\s*", text) or not -(2**63) <= int(text) < 2**63:
        raise ValueError(f"{text[:40]!r} is no whole number of 64 bits")
    return int(text)


def _flag(text: str) -> bool:
    found = {"true": True, "1": True, "false": False, "0": False}.get(text.strip().lower())
    if found is None:
        raise ValueError(f"{text[:40]!r} is neither true nor false")
    return found


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("it is no text")
    return value


_PARSE: dict[Type, Callable[[str], Any]] = {
    Type.STRING: _text,
    Type.INT: _integer,
    Type.FLOAT: _number,
    Type.BOOL: _flag,
}


def _of_graph(name: str, text: str) -> Any:
    if name in TEXTS:
        return text
    if name == "model" and not text.lstrip().startswith("{"):
        return {"name": text}
    said = strict(text.encode())
    if name in OBJECTS and not isinstance(said, dict):
        raise ValueError("it is no JSON object")
    if name in LISTS and not (isinstance(said, list) and all(isinstance(one, dict) for one in said)):
        raise ValueError("it is no JSON list of objects")
    if name in _LABELS:
        return _row(_LABELS[name], said)
    if name == "prompt":
        return _shaped(said, text=str, tokens=list)
    if name == "groupings":
        return [_grouping(one) for one in said]
    return [
        ForeignDictionary(_row("Dictionary", one["properties"]), one["family"])
        for one in (_shaped(one, properties=dict, family=str) for one in said)
    ]


def _grouping(said: dict[str, Any]) -> dict[str, Any]:
    made = _shaped(said, method=str, groups=list)
    groups = [_shaped(group, name=str, members=list, ambiguous=list) for group in made["groups"]]
    for group in groups:
        if len(group["members"]) != len(group["ambiguous"]) or not all(isinstance(id, str) for id in group["members"]):
            raise ValueError("a group's members are ids of nodes, and ambiguous has as many flags")
    return {"method": made["method"], "groups": groups}


def _shaped(said: Any, **kinds: type) -> dict[str, Any]:
    if not isinstance(said, dict) or set(said) != set(kinds):
        raise ValueError(f"it must have {', '.join(kinds)}, and no more")
    for name, kind in kinds.items():
        if not isinstance(said[name], kind):
            raise TypeError(f"its {name} is no {kind.__name__}")
    return said


def _row(label: str, said: dict[str, Any]) -> dict[str, Any]:
    """Properties of a label, of the schema's types."""
    columns = {
        column.name: column for column in TABLES[label].columns if column.name not in ("uid", *_MADE.get(label, ()))
    }
    for name, value in said.items():
        if name not in columns:
            raise ValueError(f"a {label} has no {name!r}")
        kinds: dict[Type, tuple[type, ...]] = {Type.STRING: (str,), Type.INT: (int,), Type.FLOAT: (float, int)}
        if type(value) not in kinds.get(columns[name].type, ()):
            raise ValueError(f"its {name} is no {columns[name].type}")
        if isinstance(value, int | float) and not abs(value) < 2**63:
            raise ValueError(f"its {name} is out of range")
    if label in ("Model", "Task", "Dictionary"):
        for column in columns.values():
            if not column.optional and column.name not in said:
                raise ValueError(f"its {column.name} is missing")
    return said
