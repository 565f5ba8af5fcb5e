"""The part of a circuit that a page can show: its strongest nodes, or those around one of them, and their edges.

It says how much is hidden. Knows nothing of HTTP.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from queries.limits import Limits
from queries.parameters import FirstRow, Parameter, ParameterType, Value, arguments
from store.database import Rows, Store
from store.errors import NotFoundError, QueryError

PARAMS = {
    parameter.name: parameter
    for parameter in (
        Parameter(
            name="circuit",
            type=ParameterType.UID,
            label="Circuit",
            help="The circuit.",
            example=FirstRow(query="circuits", column="uid"),
        ),
        Parameter(
            name="top_nodes",
            type=ParameterType.INT,
            default=60,
            min=1,
            max=10_000,
            help="How many nodes are kept: those of the largest absolute predicted effect, or where they have none, "
            "influence; where no node has either, of the largest total absolute weight of their edges. Logits and the "
            "metric are kept however weak, up to a quarter of so many.",
        ),
        Parameter(
            name="min_weight",
            type=ParameterType.FLOAT,
            default=0.0,
            min=0,
            help="Only edges that weigh at least this, in either sign.",
        ),
        Parameter(
            name="errors",
            type=ParameterType.BOOL,
            default=True,
            help="Whether error terms are among the nodes: what dictionaries leave out.",
        ),
        Parameter(
            name="observed",
            type=ParameterType.BOOL,
            default=False,
            help="Only edges whose effect was observed.",
        ),
        Parameter(
            name="around",
            type=ParameterType.UID,
            default="",
            label="CircuitNode",
            help="Only this node, and those that edges join it to, directly or over others.",
        ),
        Parameter(
            name="hops",
            type=ParameterType.HOPS,
            default=1,
            min=1,
            max=8,
            help="How many edges away from that node others may be, in either direction.",
        ),
        Parameter(
            name="limit",
            type=ParameterType.INT,
            default=300,
            min=1,
            max=100_000,
            help="How many edges are kept: those of the largest absolute weight.",
        ),
    )
}

_OF = "MATCH (c:Circuit {uid: $circuit}) RETURN c.n_nodes AS n_nodes, c.n_edges AS n_edges"
_MEMBER = "MATCH (n:CircuitNode {uid: $around})-[:IN_CIRCUIT]->(c:Circuit) RETURN c.uid = $circuit AS here"
_NODES = "MATCH (n:CircuitNode)-[:IN_CIRCUIT]->(:Circuit {uid: $circuit}) "
"""Statements begin at the circuit: LadybugDB reads all edges of all circuits where one begins at a list of uids."""
_NEXT = (
    _NODES + "WHERE n.uid IN $some MATCH (n){arrow}(t:CircuitNode) "
    "WHERE abs(r.weight) >= $min_weight AND ($errors OR t.kind <> 'error') RETURN DISTINCT t.uid AS uid"
)
_WANTED = _NODES + "WHERE $errors OR n.kind <> 'error' "
_SIZE = "coalesce(abs(n.effect), n.influence, -1.0) AS size"
_WEIGHTS = (
    "OPTIONAL MATCH (n)-[o:ATTRIBUTES_TO]->(:CircuitNode) WITH n, coalesce(sum(abs(o.weight)), 0.0) AS weight_out "
    "OPTIONAL MATCH (:CircuitNode)-[i:ATTRIBUTES_TO]->(n) "
    "WITH n, weight_out, coalesce(sum(abs(i.weight)), 0.0) AS weight_in "
)
_WEIGHT = "round(weight_in + weight_out, 9) AS size"
"""Rounded, since databases add in different orders."""
_OUTPUTS = _NODES + "WHERE n.kind IN ['logit', 'metric'] RETURN n.uid AS uid ORDER BY uid LIMIT $most"
_OF_OUTPUTS = 4
"""What part of the nodes may be kept for being outputs, however weak: a picture without them leads nowhere."""
_FIRST = "ORDER BY size DESC, uid LIMIT $top_nodes"
_STRONGEST = _WANTED + f"RETURN n.uid AS uid, {_SIZE} {_FIRST}"
_HEAVIEST = _WANTED + _WEIGHTS + f"RETURN n.uid AS uid, {_WEIGHT} {_FIRST}"
_SIZES = _NODES + f"WHERE n.uid IN $some RETURN n.uid AS uid, {_SIZE}"
_SIZES_BY_WEIGHT = _NODES + f"WHERE n.uid IN $some {_WEIGHTS}RETURN n.uid AS uid, {_WEIGHT}"
_SHOWN = (
    _NODES + "WHERE n.uid IN $some OPTIONAL MATCH (n)-[:INSTANCE_OF]->(f:Feature) "
    "RETURN n.uid AS uid, n.kind AS kind, n.layer AS layer, n.`index` AS `index`, n.position AS position, "
    "n.token AS token, coalesce(f.label, n.label) AS label, n.effect AS effect, n.observed_effect AS observed_effect, "
    "n.activation AS activation, n.influence AS influence, n.probability AS probability, f.uid AS feature"
)
_AMONG = (
    _NODES + "WHERE n.uid IN $some MATCH (n)-[r:ATTRIBUTES_TO]->(t:CircuitNode) "
    "WHERE abs(r.weight) >= $min_weight AND t.uid IN $some AND (NOT $observed OR r.observed IS NOT NULL) "
    "RETURN n.uid AS source, t.uid AS target, r.weight AS weight, r.observed AS observed, r.ambiguous AS ambiguous, "
    "r.input AS input, r.in_circuit AS in_circuit ORDER BY abs(weight) DESC, source, target, input LIMIT $limit"
)


@dataclass(frozen=True)
class Subgraph:
    """The rows of nodes and edges are those of the queries `top_nodes` and `graph_edges`.

    n_nodes, n_edges: of the whole circuit.
    """

    nodes: Rows
    edges: Rows
    n_nodes: int
    n_edges: int

    @property
    def summary(self) -> str:
        return f"{len(self.nodes.rows)} of {self.n_nodes} nodes, {len(self.edges.rows)} of {self.n_edges} edges"


def subgraph(store: Store, given: Mapping[str, object], limits: Limits) -> Subgraph:
    """Raises QueryError, NotFoundError for a circuit or node that is not stored, LimitError, StoreError."""
    values = arguments("graph", PARAMS, given, hop_limit=limits.hops)
    values["top_nodes"] = min(int(values["top_nodes"]), limits.rows)
    values["limit"] = min(int(values["limit"]), limits.rows)

    def ask(text: str, **more: Any) -> Rows:
        names = [name for name in values if f"${name}" in text]
        return store.run(text, {**{name: values[name] for name in names}, **more}, timeout=limits.left())

    whole = ask(_OF).rows
    if not whole:
        raise NotFoundError(f"no Circuit {values['circuit']!r} is stored")
    uids = _around(ask, values) if values["around"] else _strongest(ask, values)
    nodes = ask(_SHOWN, some=uids)
    place = {uid: number for number, uid in enumerate(uids)}
    in_order = Rows(nodes.columns, sorted(nodes.rows, key=lambda row: place[row[0]]), truncated=False)
    edges = ask(_AMONG, some=uids)
    return Subgraph(in_order, edges, *whole[0])


def _strongest(ask: Callable[..., Rows], values: Mapping[str, Value]) -> list[str]:
    """The strongest first, and last outputs that are not among them."""
    strongest = _sizes(ask, _STRONGEST, _HEAVIEST)
    uids, room = list(strongest), int(values["top_nodes"])
    share = room // _OF_OUTPUTS
    outputs = [uid for (uid,) in ask(_OUTPUTS, most=room + share).rows] if len(uids) == room else []
    weak = [uid for uid in outputs if uid not in strongest][:share]
    return uids[: room - len(weak)] + weak


def _sizes(ask: Callable[..., Rows], text: str, by_weight: str, **more: Any) -> dict[str, float]:
    """By uid, in the order of the rows. by_weight: asked instead where no node has an effect or an influence."""
    sizes = dict(ask(text, **more).rows)
    return sizes if any(size >= 0 for size in sizes.values()) else dict(ask(by_weight, **more).rows)


def _around(ask: Callable[..., Rows], values: Mapping[str, Value]) -> list[str]:
    """The uids of a node's neighbourhood: the nearest first, of equally near ones the strongest."""
    centre = str(values["around"])
    found = ask(_MEMBER).rows
    if not found:
        raise NotFoundError(f"no CircuitNode {centre!r} is stored")
    if not found[0][0]:
        raise QueryError(f"graph: around: {centre!r} is a node of another circuit than {values['circuit']!r}")
    kept, seen, rim = [centre], {centre}, [centre]
    for _ in range(int(values["hops"])):
        room = int(values["top_nodes"]) - len(kept)
        if room <= 0 or not rim:
            break
        near: set[str] = set()
        for arrow in ("-[r:ATTRIBUTES_TO]->", "<-[r:ATTRIBUTES_TO]-"):
            near |= {row[0] for row in ask(_NEXT.replace("{arrow}", arrow), some=rim).rows}
        rim = sorted(near - seen)
        seen |= near
        sizes = _sizes(ask, _SIZES, _SIZES_BY_WEIGHT, some=rim) if rim else {}
        kept += sorted(rim, key=lambda uid: (-sizes[uid], uid))[:room]
    return kept
