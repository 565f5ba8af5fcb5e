"""A GraphML document, read a piece at a time: its graph, nodes and edges with the texts of their attributes.

Entities are refused where they are declared, so that nothing expands and no other file is read. Knows nothing of
circuits.
"""

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import NoReturn
from xml.parsers import expat

from ingest.formats.format import Source

NAMESPACE = "http://graphml.graphdrawing.org/xmlns"
_PIECE = 1 << 18
_INSIDE = {"graphml": "", "key": "graphml", "default": "key", "graph": "graphml", "node": "graph", "edge": "graph"}
"""What each element must stand in; `data` may stand in three."""
_PASSED_OVER = {"desc", "locator"}
_REFUSED = {"hyperedge", "port", "endpoint"}

Took = Callable[[str, Mapping[str, str], Mapping[str, str], int], None]
"""Takes an element: graph, node or edge; its own attributes; its data by attribute name; and its line."""


class Document:
    """`read` calls `took` for each node and edge when it ends, and for the graph last. Raises ImportFormatError."""

    def __init__(self, source: Source, took: Took) -> None:
        self._source, self._took = source, took
        self._keys: dict[str, tuple[str, str]] = {}
        """What each key is for, and its name."""
        self._defaults: dict[str, dict[str, str]] = {"graph": {}, "node": {}, "edge": {}}
        self._open: list[tuple[str, dict[str, str], dict[str, str], int]] = []
        """The elements that have begun: name, attributes, data and line."""
        self._text: list[str] | None = None
        self._skipping = 0
        self._graphs = 0
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.EntityDeclHandler = self._entity
        self._parser.ExternalEntityRefHandler = self._entity

    def read(self) -> None:
        try:
            with closing(self._source.open()) as stream:
                while piece := stream.read(_PIECE):
                    self._parser.Parse(piece, False)
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise self._source.refuse(f"line {error.lineno}, column {error.offset + 1}: the XML is damaged, truncated "
                                      f"or wrongly encoded ({expat.ErrorString(error.code)})") from None  # fmt: skip
        except (LookupError, ValueError) as error:
            raise self._source.refuse(f"line {self.line}: the XML can't be read ({error}); save it as UTF-8") from None
        if not self._graphs:
            raise self._source.refuse("the file holds no graph")

    @property
    def line(self) -> int:
        return self._parser.CurrentLineNumber

    def refuse(self, what: str, line: int | None = None) -> NoReturn:
        raise self._source.refuse(f"line {self.line if line is None else line}: {what}")

    def _entity(self, *given: object) -> NoReturn:
        self.refuse("it declares an entity, which may grow without end or read other files: refused; remove it")

    def _start(self, given: str, attributes: dict[str, str]) -> None:
        namespace, _, name = given.rpartition(" ")
        if self._skipping or namespace not in ("", NAMESPACE) or name in _PASSED_OVER:
            self._skipping += 1
            if self._skipping > 64:
                self.refuse("elements are nested more than 64 deep")
            return
        inside = self._open[-1][0] if self._open else ""
        if name in _REFUSED or (name == "graph" and inside in ("node", "edge")):
            self.refuse(f"a {name} within a {inside} has no meaning in a circuit; remove it")
        allowed = inside in ("graph", "node", "edge") if name == "data" else _INSIDE.get(name) == inside
        if not allowed:
            self.refuse(f"an element {name!r} has no place in {inside or 'a file of GraphML'!r}")
        if name == "graph":
            self._begin_graph(attributes)
        if name == "edge" and attributes.get("directed", "true") != "true":
            self.refuse("the edge is undirected: a circuit's edges have a direction")
        if name in ("data", "default"):
            self._text = []
        self._open.append((name, attributes, dict(self._defaults.get(name, {})), self.line))

    def _begin_graph(self, attributes: dict[str, str]) -> None:
        self._graphs += 1
        if self._graphs > 1:
            self.refuse("a second graph; put each circuit in a file of its own")
        if attributes.get("edgedefault") != "directed":
            self.refuse('the graph is undirected: a circuit has edgedefault="directed"')

    def _characters(self, text: str) -> None:
        if self._text is not None and not self._skipping:
            self._text.append(text)

    def _end(self, _: str) -> None:
        if self._skipping:
            self._skipping -= 1
            return
        name, attributes, data, line = self._open.pop()
        text, self._text = "".join(self._text or ()), None
        if name == "key":
            self._key(attributes)
        elif name == "default":
            self._default(self._open[-1][1], text)
        elif name == "data":
            self._data(attributes, text)
        elif name in ("graph", "node", "edge"):
            self._took(name, attributes, data, line)

    def _key(self, attributes: dict[str, str]) -> None:
        id = attributes.get("id", "")
        if id in self._keys:
            self.refuse(f"the key {id!r} is declared twice")
        self._keys[id] = (attributes.get("for", "all"), attributes.get("attr.name") or id)

    def _default(self, key: dict[str, str], text: str) -> None:
        for of in self._defaults:
            if key.get("for", "all") in (of, "all"):
                self._defaults[of][key.get("attr.name") or key.get("id", "")] = text

    def _data(self, attributes: dict[str, str], text: str) -> None:
        of, _, data, _ = self._open[-1]
        id = attributes.get("key", "")
        if id not in self._keys:
            self.refuse(f"no key {id!r} is declared before it is used")
        meant, name = self._keys[id]
        if meant not in (of, "all"):
            self.refuse(f"the key {id!r} is declared for {meant} and used in {of}")
        if name in data and data[name] != self._defaults[of].get(name):
            self.refuse(f"the {of} has {name!r} twice")
        data[name] = text
