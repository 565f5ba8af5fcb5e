"""What removing a circuit, or matches, does, whichever the database: statements that both understand.

A circuit goes with its nodes, edges and ablations, and its share of FEEDS. Then a shared node goes if nothing refers
to it any more: no relationship enters it, and no bundle holds it for its own sake (`kept`). Labels are visited so
that what referred to a node has gone first: features before dictionaries, dictionaries before models.

Matches go by the pair of dictionaries; their features stay, for they were said to be there for their own sake.
"""

from graphlib import TopologicalSorter

import pyarrow as pa

from store.digest import ranks
from store.errors import NotFoundError
from store.merging import added, split
from store.rollup import finished, roll_up
from store.schema import ANALYSES, FEEDS, NODES, RELATIONSHIPS, TABLES, Column, Node, Type
from store.transaction import UIDS, Transaction

OWNED = (("IN_CIRCUIT", "CircuitNode"), ("TESTS", "Ablation"))
"""How a circuit's own nodes refer to it."""

_EDGE = (
    Column("circuit", Type.STRING, "Its circuit."),
    Column("prompt", Type.BOOL, "Whether that is of a single prompt."),
    Column("source", Type.STRING, "Feature."),
    Column("target", Type.STRING, "Feature."),
    Column("weight", Type.FLOAT, "Of the edge."),
)


MATCHES_BETWEEN = (
    "MATCH (:Dictionary {uid: $source})<-[:IN_DICTIONARY]-(:Feature)-[r:MATCHES]->(:Feature)"
    "-[:IN_DICTIONARY]->(:Dictionary {uid: $target})"
)
MATCHED_BETWEEN = "MATCH (:Dictionary {uid: $source})-[r:MATCHED]->(:Dictionary {uid: $target})"
FORGET_BUNDLES = "MATCH (b:Bundle) WHERE b.step IS NULL DELETE b"
"""Which bundles brought a match is not known. Any can be loaded again: what is there still of it stays as it is."""


def check_matched(source: str, target: str, transaction: Transaction) -> None:
    """Raises NotFoundError where nothing says that features of these dictionaries match."""
    given = {"source": source, "target": target}
    for pattern in (MATCHED_BETWEEN, MATCHES_BETWEEN):
        if transaction.read(f"{pattern} RETURN r.method AS uid LIMIT 1", UIDS, given).num_rows:
            return
    raise NotFoundError(f"no matches of {source!r} with {target!r} are stored; `circuitstore query match_quality` "
                        "lists those that are")  # fmt: skip


def share_of_feeds(circuits: list[str], transaction: Transaction, label: str = "Circuit") -> pa.Table:
    """What stored circuits add to FEEDS, in the order in which a load adds it."""
    edges = transaction.read(
        f"MATCH (c:{label})<-[:IN_CIRCUIT]-(u:CircuitNode)-[e:ATTRIBUTES_TO]->(d:CircuitNode), "
        "(u)-[:INSTANCE_OF]->(f:Feature), (d)-[:INSTANCE_OF]->(g:Feature) WHERE c.uid IN $circuits "
        "RETURN c.uid AS circuit, c.aggregation = 'prompt' AS prompt, f.uid AS source, g.uid AS target, "
        "e.weight AS weight",
        _EDGE,
        {"circuits": circuits},
    )
    codes, uids = ranks(pa.chunked_array([*edges["source"].chunks, *edges["target"].chunks], pa.string()))
    n = edges.num_rows
    circuit, weight, prompt = ranks(edges["circuit"])[0], edges["weight"].to_numpy(), edges["prompt"].to_numpy()
    sums = roll_up(circuit, codes[:n], codes[n:], weight, prompt)
    return finished(uids.take(pa.array(sums.source)), uids.take(pa.array(sums.target)), sums.columns)


def take_from_feeds(share: pa.Table, transaction: Transaction) -> None:
    """Subtract a circuit's share, or a slice of it; pairs that no circuit has any more go."""
    of = TABLES["FEEDS"]
    if not share.num_rows:
        return
    _, known, stored = split(share, transaction.stored(of, share.select(of.keys)), of)
    left = added(known, stored, -1)
    gone = pa.compute.equal(left["n_circuits"], 0)
    if (removed := left.filter(gone)).num_rows:
        transaction.remove(of, removed.select(of.keys))
    if (changed := left.filter(pa.compute.invert(gone))).num_rows:
        transaction.update(of, changed)


def unreferred() -> list[tuple[str, str]]:
    """Per shared label, in the order of removal, the pattern of its nodes `n` that nothing refers to."""
    patterns = []
    for node in _referring_first():
        sources = [
            f"NOT EXISTS {{ MATCH (n)<-[:{r.type}]-(:{source}) }}"
            for r in RELATIONSHIPS
            for source, target in r.endpoints
            if target == node.label and r is not FEEDS
        ]
        patterns.append((node.label, f"MATCH (n:{node.label}) WHERE n.kept IS NULL AND {' AND '.join(sources)}"))
    return patterns


def _referring_first() -> list[Node]:
    shared = {node.label: node for node in NODES if node.shared}
    before: dict[str, set[str]] = {label: set() for label in shared}
    for relationship in RELATIONSHIPS:
        if relationship is FEEDS or relationship in ANALYSES:
            continue
        for source, target in relationship.endpoints:
            if source in shared and target in shared:
                before[target].add(source)
    return [shared[label] for label in TopologicalSorter(before).static_order()]
