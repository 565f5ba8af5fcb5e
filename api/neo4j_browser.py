"""What Neo4j Browser shows our graph with: its style (GraSS) and a guide, made from the schema and the catalogue."""

import json
import re
from collections.abc import Mapping
from html import escape

from queries.catalogue import Catalogue
from queries.parameters import FirstRow, Value
from queries.query import Query
from store.database import Store
from store.display import CAPTION, KIND_LABELS
from store.errors import CircuitstoreError
from store.schema import NODES, RELATIONSHIPS

_KIND_COLOURS = {
    "feature": "#0072B2",
    "error": "#B0B0B0",
    "token": "#009E73",
    "logit": "#E69F00",
    "metric": "#D55E00",
    "head": "#CC79A7",
    "mlp": "#56B4E9",
}
"""Okabe and Ito's colours, which colour-blind people can tell apart."""

_PLAIN, _EDGES = "#A5ABB6", "#4D4D4D"
_LABEL_COLOURS = {"Feature": "#004D7A", "Circuit": "#6A3D9A", "Cluster": "#B15928", "Ablation": "#777777"}
_CAPTIONS = {"Circuit": "name", "CircuitNode": CAPTION, "Feature": CAPTION, "Ablation": "kind", "Clustering": "method",
             "Run": "command", "Dictionary": "hook", "Prompt": "text"}  # fmt: skip
_EDGE_CAPTIONS = {"ATTRIBUTES_TO": f"{{{CAPTION}}}", "FEEDS": "{n_circuits}"}

_PARAMETER = re.compile(r"\$(\w+)")
_GRAPHS = {
    "The strongest edges of a circuit": "MATCH p = (a:CircuitNode)-[r:ATTRIBUTES_TO]->(:CircuitNode)\n"
    "MATCH (a)-[:IN_CIRCUIT]->(:Circuit {uid: $circuit})\nRETURN p ORDER BY abs(r.weight) DESC LIMIT 60",
    "Strong paths into the metric": "MATCH (m:CircuitNode {kind: 'metric'})-[:IN_CIRCUIT]->(:Circuit {uid: $circuit})\n"
    "MATCH p = (:CircuitNode {kind: 'token'})-[:ATTRIBUTES_TO*1..8]->(m)\n"
    "WHERE all(r IN relationships(p) WHERE abs(r.weight) > 0.02)\nRETURN p LIMIT 25",
    "A circuit and where it comes from": "MATCH p = (c:Circuit {uid: $circuit})"
    "-[:FOR_TASK|FOR_PROMPT|OF_MODEL|PRODUCED_BY|USES]->()\nRETURN p",
    "What recurs": "MATCH p = (:Feature)-[r:FEEDS]->(:Feature)\nRETURN p ORDER BY r.n_circuits DESC, "
    "r.mean_abs_weight DESC LIMIT 40",
}
"""Graphs to look at; the catalogue's queries answer in tables."""


def style() -> str:
    """The style sheet: a colour for each label and kind of node, and captions that a person can read."""
    rules = [_node("node", _PLAIN, "50px", "uid")]
    for node in NODES:
        caption = _CAPTIONS.get(node.label) or ("name" if "name" in {c.name for c in node.columns} else "uid")
        rules.append(_node(f"node.{node.label}", _LABEL_COLOURS.get(node.label, _PLAIN), "65px", caption))
    for kind, label in KIND_LABELS.items():
        rules.append(_node(f"node.{label}", _KIND_COLOURS[kind], "65px", CAPTION))
    rules.append(_relationship("relationship", _PLAIN, "<type>"))
    for relationship in RELATIONSHIPS:
        selector, shown = f"relationship.{relationship.type}", _EDGE_CAPTIONS.get(relationship.type)
        rules.append(_relationship(selector, _EDGES if shown else _PLAIN, shown or "<type>"))
    return "\n".join(rules)


def _node(selector: str, colour: str, diameter: str, caption: str) -> str:
    looks = {"diameter": diameter, "color": colour, "border-color": colour, "border-width": "1px",
             "text-color-internal": "#FFFFFF", "caption": f"'{{{caption}}}'"}  # fmt: skip
    return _rule(selector, looks)


def _relationship(selector: str, colour: str, caption: str) -> str:
    looks = {"shaft-width": "2px", "font-size": "9px", "padding": "3px", "color": colour, "border-color": colour,
             "border-width": "1px", "text-color-external": "#000000", "caption": f"'{caption}'"}  # fmt: skip
    return _rule(selector, looks)


def _rule(selector: str, looks: Mapping[str, str]) -> str:
    return f"{selector} {{\n" + "".join(f"  {name}: {value};\n" for name, value in looks.items()) + "}\n"


def guide(catalogue: Catalogue, store: Store | None) -> str:
    """The guide as HTML: graphs to look at, and every query as a block that one click puts into the editor.

    store: where the values of parameters are looked up; without one, and where it holds none, they are placeholders.
    """
    found: dict[FirstRow, Value] = {}

    def example(name: str) -> Mapping[str, Value]:
        try:
            return {} if store is None else catalogue.example(store, name, found)
        except CircuitstoreError:
            return {}

    graphs = "".join(_runnable(title, "", _filled(text, example("circuit"))) for title, text in _GRAPHS.items())
    slides = [_slide("Circuits as graphs", f"<p>Click a block, then run it.</p>{graphs}")]
    folders: dict[str, list[Query]] = {}
    for query in catalogue:
        folders.setdefault(query.folder, []).append(query)
    for folder, queries in folders.items():
        slides.append(_slide(folder.capitalize(), "".join(_block(query, example(query.name)) for query in queries)))
    return (
        f'<article class="guide">\n<carousel class="deck container-fluid">\n{"".join(slides)}</carousel>\n</article>\n'
    )


def _slide(title: str, body: str) -> str:
    return (
        '<slide class="row-fluid"><div class="col-sm-12">'
        f"<h3>Circuitstore: {escape(title)}</h3>\n{body}</div></slide>\n"
    )


def _block(query: Query, example: Mapping[str, Value]) -> str:
    defaults = {p.name: p.default for p in query.params.values() if p.default is not None}
    placeholders = {name: _placeholder(name) for name in query.params}
    text, bound = query.text("neo4j", {**placeholders, **defaults, **example})
    columns = "".join(f"<li><code>{escape(name)}</code> {escape(what)}</li>" for name, what in query.returns.items())
    summary = query.summary
    if query.runs == "python":
        summary += " Here only what it is made of: the service goes on in Python, and answers with these columns."
    return _runnable(query.name, summary, _filled(text, bound)) + f"<ul>{columns}</ul>\n"


def _runnable(title: str, summary: str, text: str) -> str:
    return (
        f"<h4>{escape(title)}</h4>\n{f'<p>{escape(summary)}</p>' if summary else ''}"
        f'<pre mode="cypher" class="pre-scrollable code runnable">{escape(text, quote=False)}</pre>\n'
    )


def _placeholder(name: str) -> str:
    return f"PUT-{name.upper()}-HERE"


def _filled(text: str, values: Mapping[str, Value]) -> str:
    """The text with its parameters as literals: the Browser's own would have to be set by a command each.

    A JSON string is a Cypher string, too.
    """
    return _PARAMETER.sub(lambda m: json.dumps(values.get(m[1], _placeholder(m[1])), ensure_ascii=False), text)
