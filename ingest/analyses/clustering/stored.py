"""What stored circuits say of a model's features: which there are, what each does in each circuit, what acts on what.

Knows nothing of clusterings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ingest.dictionaries import Dictionary
from ingest.hooks import Hook
from store.database import Store
from store.uids import dictionary_uid, feature_uid

Array = np.ndarray[Any, Any]

_NODES = (
    "MATCH (c:Circuit)-[:OF_MODEL]->(:Model {uid: $model}) "
    "MATCH (c)<-[:IN_CIRCUIT]-(n:CircuitNode)-[:INSTANCE_OF]->(f:Feature)-[:IN_DICTIONARY]->(d:Dictionary) "
    "RETURN c.uid AS circuit, d.uid AS dictionary, f.`index` AS feature, n.effect AS effect ORDER BY n.uid"
)
_EDGES = (
    "MATCH (c:Circuit)-[:OF_MODEL]->(:Model {uid: $model}) "
    "MATCH (c)<-[:IN_CIRCUIT]-(a:CircuitNode)-[r:ATTRIBUTES_TO]->(b:CircuitNode) "
    "MATCH (a)-[:INSTANCE_OF]->(s:Feature) MATCH (b)-[:INSTANCE_OF]->(t:Feature) "
    "RETURN c.uid AS circuit, s.uid AS source, t.uid AS target, r.weight AS weight ORDER BY a.uid, b.uid"
)


@dataclass(frozen=True)
class Stored:
    """The features of a model's stored circuits, in the order of depth and index."""

    features: list[tuple[Hook, int]]
    uids: list[str]
    circuits: list[str]
    effects: Array
    """Effect of each feature on the metric in each circuit, summed over positions, [features, circuits]."""
    edges: Array
    """Numbers of circuit, source and target, [edges, 3]; a pair of features stands once a circuit."""
    weights: Array
    """The absolute weight of each, summed over positions first as in FEEDS, [edges]."""

    def attribution_graph(self, times: Array) -> Array:
        """How much each two features have to do with each other, [features, features], symmetric.

        The sum of absolute weights over circuits, in either direction. times: how often each circuit counts,
        [circuits]; where each counts once, this is n_circuits · mean_abs_weight of FEEDS.
        """
        graph = np.zeros((len(self.uids), len(self.uids)))
        circuit, source, target = self.edges.T
        np.add.at(graph, (source, target), self.weights * times[circuit])
        return graph + graph.T


def ask(store: Store, model: str, dictionaries: Mapping[Hook, Dictionary]) -> Stored:
    """What is stored of a model's circuits, as far as its features are of these dictionaries."""
    hooks = {dictionary_uid(model, hook.name): hook for hook in dictionaries}
    nodes = [row for row in store.run(_NODES, {"model": model}).rows if row[1] in hooks]
    features = sorted({(hooks[uid], index) for _, uid, index, _ in nodes}, key=lambda f: (f[0].depth, f[1]))
    uids = [feature_uid(dictionary_uid(model, hook.name), index) for hook, index in features]
    circuits = sorted({row[0] for row in nodes})
    number, place = {uid: n for n, uid in enumerate(uids)}, {uid: n for n, uid in enumerate(circuits)}
    effects = np.zeros((len(uids), len(circuits)))
    for circuit, dictionary, index, effect in nodes:
        effects[number[feature_uid(dictionary, index)], place[circuit]] += effect or 0.0
    total: dict[tuple[int, int, int], float] = {}
    for circuit, source, target, weight in store.run(_EDGES, {"model": model}).rows:
        if source in number and target in number:
            key = (place[circuit], number[source], number[target])
            total[key] = total.get(key, 0.0) + weight
    edges = np.array(sorted(total), dtype=np.int64).reshape(-1, 3)
    weights = np.abs([total[circuit, source, target] for circuit, source, target in edges.tolist()])
    return Stored(features, uids, circuits, effects, edges, weights)
