"""What Neo4j Browser shows our graph with: its style (GraSS) and a guide, made from the schema and the catalogue."""

import json
import re
from collections.abc import Mapping
from html import escape

from queries.catalogue import Catalogue
from queries.parameters import ParameterType, Value
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

_LABEL_COLOURS = {"Feature": "#004D7A", "Circuit": "#6A3D9A", "Cluster": "#B15928", "Ablation": "#777777"}
_CAPTIONS = {"Circuit": "name", "CircuitNode": CAPTION, "Feature": CAPTION, "Ablation": "kind", "Clustering": "method",
             "Run": "command", "Dictionary": "hook", "Prompt": "text"}  # fmt: skip

_PARAMETER = re.compile(r"\$(\w+)")
_SECTIONS = {
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
    rules = [_rule("node", colour="#A5ABB6", diameter="50px", caption="{uid}")]
    for node in NODES:
        caption = _CAPTIONS.get(node.label) or ("name" if "name" in {c.name for c in node.columns} else "uid")
        rules.append(_rule(f"node.{node.label}", _LABEL_COLOURS.get(node.label, "#A5ABB6"), "65px", f"{{{caption}}}"))
    for kind, label in KIND_LABELS.items():
        rules.append(_rule(f"node.{label}", _KIND_COLOURS[kind], "65px", f"{{{CAPTION}}}"))
    rules.append(_rule("relationship", "#A5ABB6", "", "<type>"))
    for relationship in RELATIONSHIPS:
        drawn = relationship.type in ("ATTRIBUTES_TO", "FEEDS")
        caption = {"ATTRIBUTES_TO": f"{{{CAPTION}}}", "FEEDS": "{n_circuits}"}.get(relationship.type, "<type>")
        rules.append(_rule(f"relationship.{relationship.type}", "#4D4D4D" if drawn else "#A5ABB6", "", caption))
    return "\n".join(rules)


def _rule(selector: str, colour: str, diameter: str, caption: str) -> str:
    sizes = {"diameter": diameter} if diameter else {"shaft-width": "2px", "font-size": "9px", "padding": "3px"}
    text = "text-color-external" if not diameter else "text-color-internal"
    lines = {**sizes, "color": colour, "border-color": colour, "border-width": "1px",
             text: "#000000" if not diameter else "#FFFFFF", "caption": f"'{caption}'"}  # fmt: skip
    return f"{selector} {{\n" + "".join(f"  {name}: {value};\n" for name, value in lines.items()) + "}\n"


def guide(catalogue: Catalogue, store: Store | None) -> str:
    """The guide as HTML: graphs to look at, and every query as a block that one click puts into the editor.

    store: where the values of parameters are looked up; without one, and where it holds none, they are placeholders.
    """
    slides = [_slide("Circuits as graphs", "<p>Click a block, then run it.</p>" + _graphs(catalogue, store))]
    folders: dict[str, list[Query]] = {}
    for query in catalogue:
        folders.setdefault(query.folder, []).append(query)
    for folder, queries in folders.items():
        slides.append(_slide(folder.capitalize(), "".join(_block(catalogue, query, store) for query in queries)))
    return (
        f'<article class="guide">\n<carousel class="deck container-fluid">\n{"".join(slides)}</carousel>\n</article>\n'
    )


def _slide(title: str, body: str) -> str:
    return (
        '<slide class="row-fluid"><div class="col-sm-12">'
        f"<h3>Circuitstore: {escape(title)}</h3>\n{body}</div></slide>\n"
    )


def _graphs(catalogue: Catalogue, store: Store | None) -> str:
    example = _example(catalogue, "circuit", store)
    return "".join(_runnable(title, "", _filled(text, example)) for title, text in _SECTIONS.items())


def _block(catalogue: Catalogue, query: Query, store: Store | None) -> str:
    values = {p.name: p.default for p in query.params.values() if p.default is not None}
    given = {p.name: f"PUT-{p.name.upper()}-HERE" if p.type is ParameterType.UID else p.default or 1
             for p in query.params.values()}  # fmt: skip
    chosen = {**given, **values, **_example(catalogue, query.name, store)}
    text, bound = query.text("neo4j", chosen)
    columns = "".join(f"<li><code>{escape(name)}</code> {escape(what)}</li>" for name, what in query.returns.items())
    return _runnable(query.name, query.summary, _filled(text, bound)) + f"<ul>{columns}</ul>\n"


def _runnable(title: str, summary: str, text: str) -> str:
    return (
        f"<h4>{escape(title)}</h4>\n{f'<p>{escape(summary)}</p>' if summary else ''}"
        f'<pre mode="cypher" class="pre-scrollable code runnable">{escape(text, quote=False)}</pre>\n'
    )


def _example(catalogue: Catalogue, name: str, store: Store | None) -> Mapping[str, Value]:
    if store is not None:
        try:
            return catalogue.example(store, name)
        except CircuitstoreError:
            pass
    return {}


def _filled(text: str, values: Mapping[str, Value]) -> str:
    """The text with its parameters as literals: the Browser's own would have to be set by a command each.

    A JSON string is a Cypher string, too.
    """
    return _PARAMETER.sub(lambda m: json.dumps(values.get(m[1], f"PUT-{m[1].upper()}-HERE"), ensure_ascii=False), text)
