"""FEEDS made again from the stored edges, in plain Python: what the store's own must equal."""

from collections import defaultdict
from typing import Any

from store.database import Store

EDGES = """
MATCH (c:Circuit)<-[:IN_CIRCUIT]-(u:CircuitNode)-[e:ATTRIBUTES_TO]->(d:CircuitNode),
      (u)-[:INSTANCE_OF]->(f:Feature), (d)-[:INSTANCE_OF]->(g:Feature)
RETURN c.uid, f.uid, g.uid, e.weight
"""

STORED = """
MATCH (f:Feature)-[r:FEEDS]->(g:Feature)
RETURN f.uid, g.uid, r.n_circuits, r.n_positive, r.weight_sum, r.abs_weight_sum,
       r.mean_weight, r.mean_abs_weight, r.sign_agreement
"""


def stored(store: Store) -> list[list[Any]]:
    return sorted(store.run(STORED).rows)


def recomputed(store: Store) -> list[list[Any]]:
    totals: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for circuit, source, target, weight in store.run(EDGES).rows:
        totals[source, target][circuit] += round(weight * 2**32)
    rows = []
    for (source, target), sums in totals.items():
        n, positive = len(sums), sum(total > 0 for total in sums.values())
        total, size = sum(sums.values()), sum(map(abs, sums.values()))
        means = [total / 2**32 / n, size / 2**32 / n, max(positive, n - positive) / n]
        rows.append([source, target, n, positive, total, size, *means])
    return sorted(rows)
