"""FEEDS and OCCURS_IN made again from stored edges and nodes, in plain Python: what the store's own must equal."""

from collections import defaultdict
from typing import Any

import pytest

from store.database import Store

EDGES = """
MATCH (c:Circuit)<-[:IN_CIRCUIT]-(u:CircuitNode)-[e:ATTRIBUTES_TO]->(d:CircuitNode),
      (u)-[:INSTANCE_OF]->(f:Feature), (d)-[:INSTANCE_OF]->(g:Feature)
RETURN c.uid, c.aggregation, f.uid, g.uid, e.weight
"""

STORED = """
MATCH (f:Feature)-[r:FEEDS]->(g:Feature)
RETURN f.uid, g.uid, r.n_circuits, r.n_positive, r.weight_sum, r.abs_weight_sum,
       r.mean_weight, r.mean_abs_weight, r.sign_agreement,
       r.n_prompts, r.n_positive_prompts, r.prompt_weight_sum, r.prompt_abs_weight_sum
"""


def stored(store: Store) -> list[list[Any]]:
    return sorted(store.run(STORED).rows)


def recomputed(store: Store) -> list[list[Any]]:
    totals: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    prompts = set()
    for circuit, aggregation, source, target, weight in store.run(EDGES).rows:
        totals[source, target][circuit] += round(weight * 2**32)
        prompts |= {circuit} if aggregation == "prompt" else set()
    rows = []
    for (source, target), sums in totals.items():
        n, positive = len(sums), sum(total > 0 for total in sums.values())
        total, size = sum(sums.values()), sum(map(abs, sums.values()))
        means = [total / 2**32 / n, size / 2**32 / n, max(positive, n - positive) / n]
        of = [total for circuit, total in sums.items() if circuit in prompts]
        of_prompts = [len(of), sum(total > 0 for total in of), sum(of), sum(map(abs, of))]
        rows.append([source, target, n, positive, total, size, *means, *of_prompts])
    return sorted(rows)


def occurrences(store: Store) -> list[list[Any]]:
    return sorted(
        store.run("MATCH (f:Feature)-[r:OCCURS_IN]->(c:Circuit) RETURN f.uid, c.uid, r.n_nodes, r.effect").rows
    )


def recomputed_occurrences(store: Store) -> list[list[Any]]:
    effects: dict[tuple[str, str], list[float | None]] = defaultdict(list)
    text = "MATCH (f:Feature)<-[:INSTANCE_OF]-(n:CircuitNode)-[:IN_CIRCUIT]->(c:Circuit) RETURN f.uid, c.uid, n.effect"
    for feature, circuit, effect in store.run(text).rows:
        effects[feature, circuit].append(effect)
    rows = []
    for pair, of in effects.items():
        known = [effect for effect in of if effect is not None]
        rows.append([*pair, len(of), pytest.approx(sum(known)) if known else None])
    return sorted(rows)
