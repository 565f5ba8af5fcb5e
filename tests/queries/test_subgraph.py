"""What a picture of a circuit opens on, where nodes have effects, influences, or neither."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ingest.formats.importing import import_all
from queries.catalogue import catalogue
from queries.limits import Limits
from queries.subgraph import Subgraph, subgraph
from store.bundle import Bundle
from store.database import Store
from tests.ingest.formats.graphs import feature, graph
from tests.queries.loading import write
from tests.queries.world import circuit


def shown(store: Store, uid: str, **given: object) -> Subgraph:
    return subgraph(store, {"circuit": uid, **given}, Limits(60.0, 100_000, 8))


def uids(found: Subgraph) -> list[str]:
    return [row[0] for row in found.nodes.rows]


def stored(store: Store, file: Path, folder: Path) -> Bundle:
    (bundle,) = import_all([str(file)], "auto", folder)
    store.load(bundle)
    return bundle


def uid_of(bundle: Bundle) -> str:
    (uid,) = bundle.table("Circuit")["uid"].to_pylist()
    return str(uid)


def weights(nodes: Iterable[Mapping[str, Any]], edges: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Of each node: the total absolute weight of its edges."""
    of: dict[str, float] = defaultdict(float)
    for edge in edges:
        of[edge["source"]] += abs(edge["weight"])
        of[edge["target"]] += abs(edge["weight"])
    return {node["uid"]: round(of[node["uid"]], 9) for node in nodes}


def heaviest(of: Mapping[str, float]) -> list[str]:
    return sorted(of, key=lambda uid: (-of[uid], uid))


def test_a_graph_with_influences_opens_on_its_most_influential_nodes(store: Store, tmp_path: Path) -> None:
    sums = {(0, 1): 0.5, (1, 2): 1.0, (2, 3): 0.875}
    nodes = [feature(*place, 0, influence=value) for place, value in sums.items()]
    file = tmp_path / "toy.json"
    file.write_text(json.dumps(graph(nodes, [("0_1_0", "2_3_0", 1.0), ("1_2_0", "2_3_0", 9.0)])))
    uid = uid_of(stored(store, file, tmp_path))
    strongest = [f"{uid}:mlp-feature:{place}:0" for place in ("0:1", "2:3", "1:2")]
    assert uids(shown(store, uid)) == strongest
    assert uids(shown(store, uid, top_nodes=2)) == strongest[:2]
    top = catalogue().run(store, "top_nodes", {"circuit": uid, "limit": 2})
    assert [row[0] for row in top.rows] == strongest[:2]
    edges = catalogue().run(store, "graph_edges", {"circuit": uid, "top_nodes": 2})
    assert [row[:2] for row in edges.rows] == [strongest[:2]]


def test_a_real_graph_opens_on_nodes_with_edges_among_them(store: Store, test_data: Path, tmp_path: Path) -> None:
    bundle = stored(store, test_data / "attribution-graphs" / "cool-clt-hp.json", tmp_path)
    found = shown(store, uid_of(bundle), top_nodes=60)
    rows = bundle.table("CircuitNode").to_pylist()
    ranked = sorted((row for row in rows if row["influence"] is not None), key=lambda r: (-r["influence"], r["uid"]))
    logits = sorted(row["uid"] for row in rows if row["kind"] == "logit")
    assert 0 < len(logits) <= 15
    assert uids(found) == [row["uid"] for row in ranked[: 60 - len(logits)]] + logits
    assert len(found.edges.rows) > 100
    assert uids(shown(store, uid_of(bundle), top_nodes=8))[-2:] == logits[:2]


@pytest.mark.parametrize("around", [False, True])
def test_nodes_without_effect_and_influence_are_ranked_by_the_weight_of_their_edges(
    store: Store, tmp_path: Path, around: bool
) -> None:
    rows = circuit(0)
    for node in rows["CircuitNode"]:
        node["effect"] = None
    store.load(write(tmp_path / "bundle", rows))
    uid, edges = rows["Circuit"][0]["uid"], rows["ATTRIBUTES_TO"]
    of = weights(rows["CircuitNode"], edges)
    if not around:
        assert uids(shown(store, uid)) == heaviest(of)
        (metric,) = (node["uid"] for node in rows["CircuitNode"] if node["kind"] == "metric")
        assert metric not in heaviest(of)[:7]
        assert uids(shown(store, uid, top_nodes=7)) == [*heaviest(of)[:6], metric]
        return
    centre = rows["CircuitNode"][-1]["uid"]
    near = {edge["source"] for edge in edges if edge["target"] == centre}
    assert uids(shown(store, uid, around=centre)) == [centre, *(other for other in heaviest(of) if other in near)]


def test_a_mib_circuit_opens_on_its_heaviest_nodes(store: Store, test_data: Path, tmp_path: Path) -> None:
    bundle = stored(store, test_data / "circuits" / "mib-gpt2-ioi-eap-ig.json", tmp_path)
    of = weights(bundle.table("CircuitNode").to_pylist(), bundle.table("ATTRIBUTES_TO").to_pylist())
    found = shown(store, uid_of(bundle), top_nodes=40)
    assert uids(found) == heaviest(of)[:40]
    top = catalogue().run(store, "top_nodes", {"circuit": uid_of(bundle), "limit": 40})
    assert [row[0] for row in top.rows] == uids(found)
    edges = catalogue().run(store, "graph_edges", {"circuit": uid_of(bundle), "top_nodes": 40, "limit": 300})
    assert edges.rows == found.edges.rows
