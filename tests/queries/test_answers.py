"""Every query answers on both databases, with equal rows; its example has an answer; what it finds is true."""

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest

from queries.catalogue import catalogue
from queries.output import as_objects
from store.database import Store, open_store
from store.errors import NotFoundError
from tests.neo4j_server import Neo4j
from tests.queries.loading import load_world, write
from tests.queries.world import Rows, circuit, clustered, feature, matches, shared

SEEDS = range(6)
KMEANS = clustered()["Clustering"][0]["uid"]

MORE: list[tuple[str, dict[str, object]]] = [
    ("circuits", {"task": "opposites", "sort": "name", "order": "asc"}),
    ("circuits", {"model": "Toy", "aggregation": "task", "sort": "faithfulness"}),
    ("circuits", {"name": "the KEY", "limit": 1}),
    ("circuits", {"sort": "created_at", "order": "asc"}),
    ("recurring_features", {"aggregation": "all", "min_circuits": 1}),
    ("recurring_features", {"task": "agreement", "limit": 3}),
    ("recurring_features", {"cluster": f"{KMEANS}:1", "min_circuits": 1}),
    ("recurring_features", {"aggregation": "task", "task": "opposites", "min_circuits": 1}),
    ("recurring_edges", {"min_circuits": 1, "limit": 10000}),
    ("recurring_edges", {"aggregation": "all", "min_circuits": 1, "limit": 10000}),
    ("recurring_edges", {"aggregation": "task", "task": "opposites", "min_circuits": 1, "limit": 3}),
    ("recurring_edges", {"aggregation": "all", "task": "agreement", "limit": 10000}),
    ("ablations", {"kind": "random", "errors": "ablated"}),
    ("ablations", {"errors": "kept"}),
    ("ablation_curve", {"circuit": circuit(1)["Circuit"][0]["uid"], "errors": "all", "baseline": "all"}),
    ("cluster_ablations", {"kind": "feature", "task": "agreement"}),
    ("cluster_ablations", {"kind": "steering"}),
    ("shared_features", {"task": "agreement", "other": "opposites"}),
    ("shared_features", {"task": "agreement", "other": "opposites", "aggregation": "prompt"}),
    ("compare_circuits", {"circuit": circuit(0)["Circuit"][0]["uid"], "other": circuit(3)["Circuit"][0]["uid"]}),
    ("compare_circuits", {"circuit": circuit(2)["Circuit"][0]["uid"], "other": circuit(3)["Circuit"][0]["uid"]}),
    ("similar_circuits", {"circuit": circuit(2)["Circuit"][0]["uid"], "aggregation": "task"}),
    ("runs", {"command": "circuitstore ingest"}),
    ("find_features", {"promotes": " b", "limit": 3}),
    ("find_features", {"suppresses": "it's", "layer": 2}),
    ("find_features", {"active_on": "x"}),
    ("find_features", {"active_on": "3", "label": "KEYS"}),
    ("unconfirmed_edges", {"min_ratio": 0.0, "limit": 10000}),
    ("unconfirmed_edges", {"min_ratio": -1.5}),
    ("clusterings", {"model": "Toy", "sort": "modularity"}),
    ("clusterings", {"basis": "decoder"}),
    ("clusterings", {"method": "k-means", "limit": 1}),
    ("cluster_members", {"clustering": KMEANS, "limit": 3}),
    ("cluster_members", {"clustering": KMEANS, "cluster": f"{KMEANS}:1"}),
    ("cluster_graph", {"clustering": KMEANS, "within": False}),
    ("match_quality", {"method": "feature_flow"}),
    ("acting_matches", {"method": "feature_flow", "min_circuits": 2}),
    ("feature_lineage", {"feature": feature(0, 1), "method": "feature_flow", "direction": "forwards"}),
    ("feature_lineage", {"feature": feature(3, 0), "method": "feature_flow", "direction": "backwards"}),
    ("feature_lineage", {"feature": feature(1, 3), "max_hops": 1}),
    ("lineage_paths", {"feature": feature(0, 4), "method": "feature_flow"}),
    ("lineage_paths", {"feature": feature(0, 2), "max_hops": 2}),
    ("cluster_graph", {"clustering": KMEANS, "min_circuits": 3, "limit": 2}),
    ("shared_edges", {"task": "agreement", "other": "opposites"}),
    ("shared_edges", {"task": "agreement", "other": "task:opposites", "aggregation": "all", "limit": 10000}),
    ("cooccurring_features", {"feature": feature(1, 1), "aggregation": "all"}),
    ("cooccurring_features", {"feature": feature(0, 4), "aggregation": "task", "limit": 4}),
    ("feature_circuits", {"feature": feature(1, 1)}),
    ("feature_edges", {"feature": feature(1, 1)}),
    ("feature_edges", {"feature": feature(0, 4), "limit": 2}),
    ("hubs", {"circuit": circuit(3)["Circuit"][0]["uid"], "limit": 5}),
    *(
        ("search", dict[str, object](text=text, limit=10000))
        for text in ("KEY", "the key 2", " ", "'s", "*", "it's AND x~", 'a" b', "toy.0", "sites 3")
    ),
    ("search", {"text": "ke", "at": "start"}),
    ("search", {"text": "key", "among": "token", "limit": 1}),
    ("search", {"text": "e", "among": "label"}),
    ("search", {"text": "o", "among": "circuit", "at": "start"}),
    ("search", {"text": "to", "among": "model"}),
]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, neo4j: Neo4j) -> Iterator[tuple[Store, Store]]:
    """The same world in both databases."""
    folder = tmp_path_factory.mktemp("world")
    neo4j.empty()
    with closing(open_store(f"ladybug:{folder / 'store.lbug'}")) as one, closing(open_store(neo4j.url)) as other:
        for store in (one, other):
            load_world(store, folder, SEEDS)
        yield one, other


@pytest.fixture(scope="module")
def ladybug(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("world")
    with closing(open_store(f"ladybug:{folder / 'store.lbug'}")) as store:
        load_world(store, folder, SEEDS)
        yield store


@pytest.mark.parametrize("name", [query.name for query in catalogue()])
def test_the_example_of_a_query_has_an_answer_in_its_declared_columns(ladybug: Store, name: str) -> None:
    rows = catalogue().run(ladybug, name, catalogue().example(ladybug, name))
    assert rows.rows
    assert rows.columns == list(catalogue()[name].returns)


@pytest.mark.parametrize("name", [query.name for query in catalogue()])
def test_both_databases_give_equal_rows_for_the_example(both: tuple[Store, Store], name: str) -> None:
    examples = [catalogue().example(store, name) for store in both]
    assert examples[0] == examples[1]
    answers = [catalogue().run(store, name, examples[0]) for store in both]
    assert answers[0] == answers[1]


@pytest.mark.parametrize(("name", "arguments"), MORE)
def test_both_databases_give_equal_rows_for_other_arguments(
    both: tuple[Store, Store], name: str, arguments: dict[str, object]
) -> None:
    answers = [catalogue().run(store, name, arguments) for store in both]
    assert answers[0] == answers[1]


@pytest.mark.parametrize("seed", SEEDS)
def test_paths_of_all_lengths_and_weights_are_equal_in_both_databases(both: tuple[Store, Store], seed: int) -> None:
    rows = circuit(seed)
    metric = rows["CircuitNode"][-1]["uid"]
    token = rows["CircuitNode"][0]["uid"]
    for name, arguments in (
        ("upstream_paths", {"node": metric, "max_hops": 5, "min_weight": 0.1, "start_kind": "token", "limit": 10000}),
        ("upstream_paths", {"node": metric, "max_hops": 3, "min_weight": 0, "limit": 50}),
        ("confirmed_paths", {"node": metric, "max_hops": 5, "min_observed": 0.15, "limit": 10000}),
        ("confirmed_paths", {"node": metric, "max_hops": 2, "min_observed": 0.0, "min_ratio": 0.0}),
        ("downstream_paths", {"node": token, "max_hops": 3, "min_weight": 0.002, "limit": 10000}),
        ("paths_between", {"source": token, "target": metric, "min_weight": 0.02, "limit": 10000}),
        ("strongest_paths", {"circuit": rows["Circuit"][0]["uid"], "source": token, "limit": 1000}),
        ("strongest_paths", {"circuit": rows["Circuit"][0]["uid"], "confirmed": True}),
        ("node_edges", {"node": metric, "limit": 3}),
        ("paths_through", {"circuit": rows["Circuit"][0]["uid"], "feature": rows["INSTANCE_OF"][0]["target"]}),
        *(
            (name, {"circuit": rows["Circuit"][0]["uid"]})
            for name in ("dominators", "bottlenecks", "min_cut", "min_node_cut", "feed_forward_motifs", "hubs")
        ),
    ):
        answers = [catalogue().run(store, name, arguments) for store in both]
        assert answers[0] == answers[1], name


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("min_weight", [0.0, 0.02, 0.25])
def test_upstream_paths_are_those_of_networkx(ladybug: Store, seed: int, min_weight: float) -> None:
    rows = circuit(seed)
    metric = rows["CircuitNode"][-1]["uid"]
    arguments = {"node": metric, "max_hops": 3, "min_weight": min_weight, "limit": 10000}
    found = catalogue().run(ladybug, "upstream_paths", arguments)
    expected = paths(rows, min_weight, 3, target=metric)
    assert {tuple(row[-1]): row[0] for row in found.rows} == expected
    assert len(found.rows) == len(expected)
    products = [abs(row[0]) for row in found.rows]
    assert products == sorted(products, reverse=True)


@pytest.mark.parametrize("seed", SEEDS)
def test_downstream_paths_and_paths_between_are_those_of_networkx(ladybug: Store, seed: int) -> None:
    rows = circuit(seed)
    token, metric = rows["CircuitNode"][0]["uid"], rows["CircuitNode"][-1]["uid"]
    down = catalogue().run(ladybug, "downstream_paths", {"node": token, "max_hops": 3, "limit": 10000})
    assert {tuple(row[-1]): row[0] for row in down.rows} == paths(rows, 0.01, 3, source=token)
    between = catalogue().run(ladybug, "paths_between", {"source": token, "target": metric, "min_weight": 0.1})
    expected = paths(rows, 0.1, 7, source=token, target=metric)
    assert {tuple(row[-1]): row[0] for row in between.rows}.items() <= expected.items()
    assert len(between.rows) == min(100, len(expected))


@pytest.mark.parametrize("seed", SEEDS)
def test_confirmed_paths_are_those_whose_every_edge_was_observed(ladybug: Store, seed: int) -> None:
    rows = circuit(seed)
    metric = rows["CircuitNode"][-1]["uid"]
    for least, ratio in ((0.0, 0.0), (0.15, 0.0), (0.25, 0.0), (0.0, 0.5), (0.0, 0.9)):
        arguments = {"node": metric, "max_hops": 4, "min_observed": least, "min_ratio": ratio, "limit": 10000}
        found = catalogue().run(ladybug, "confirmed_paths", arguments)
        agreeing = [e for e in rows["ATTRIBUTES_TO"] if is_confirmed(e, ratio)]
        expected = paths(rows | {"ATTRIBUTES_TO": agreeing}, least, 4, target=metric, by="observed")
        assert {tuple(row[-1]): row[0] for row in found.rows} == pytest.approx(expected)
        assert least > 0 or ratio > 0 or expected


@pytest.mark.parametrize("seed", SEEDS)
def test_the_strongest_confirmed_paths_lead_from_tokens_to_the_metric_along_confirmed_edges(
    ladybug: Store, seed: int
) -> None:
    rows = circuit(seed)
    tokens = {node["uid"] for node in rows["CircuitNode"] if node["kind"] == "token"}
    given = {"circuit": rows["Circuit"][0]["uid"], "confirmed": True, "max_edges": 10000, "limit": 1000}
    found = catalogue().run(ladybug, "strongest_paths", given)
    confirmed = rows | {"ATTRIBUTES_TO": [edge for edge in rows["ATTRIBUTES_TO"] if is_confirmed(edge, 0.5)]}
    every = paths(confirmed, 0.0, 9, target=rows["CircuitNode"][-1]["uid"])
    expected = {nodes: product for nodes, product in every.items() if nodes[0] in tokens}
    assert {tuple(row[-1]): row[0] for row in found.rows} == pytest.approx(expected)


def test_no_path_is_confirmed_where_no_edge_into_the_metric_is(tmp_path: Path) -> None:
    rows = circuit(1)
    metric = rows["CircuitNode"][-1]["uid"]
    for edge in rows["ATTRIBUTES_TO"]:
        edge["observed"] = None if edge["target"] == metric else edge["weight"]
    with closing(open_store(f"ladybug:{tmp_path / 'store.lbug'}")) as store:
        store.load(write(tmp_path / "bundle", rows))
        given = {"circuit": rows["Circuit"][0]["uid"], "confirmed": True}
        assert catalogue().run(store, "strongest_paths", given).rows == []


def is_confirmed(edge: dict[str, Any], ratio: float) -> bool:
    observed, weight = edge["observed"], edge["weight"]
    return observed is not None and observed * weight > 0 and abs(observed) >= ratio * abs(weight)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_edges_of_a_node_are_all_its_own(ladybug: Store, seed: int) -> None:
    rows = circuit(seed)
    nodes = {node["uid"]: node for node in rows["CircuitNode"]}
    for uid, limit in ((rows["CircuitNode"][-1]["uid"], 10000), (rows["CircuitNode"][9]["uid"], 3)):
        answer = catalogue().run(ladybug, "node_edges", {"node": uid, "limit": limit})
        found = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
        for direction, own, other in (("input", "target", "source"), ("output", "source", "target")):
            edges = [edge for edge in rows["ATTRIBUTES_TO"] if edge[own] == uid]
            edges.sort(key=lambda edge: (-abs(edge["weight"]), edge[other]))
            told = [row for row in found if row["direction"] == direction]
            assert [(row["node"], row["weight"], row["observed"], row["n_edges"]) for row in told] == [
                (edge[other], edge["weight"], edge["observed"], len(edges)) for edge in edges[:limit]
            ]
            assert all(row["token"] == nodes[row["node"]]["token"] for row in told)


@pytest.mark.parametrize("seed", SEEDS)
def test_evidence_is_what_numpy_says_of_the_same_edges(ladybug: Store, seed: int) -> None:
    rows = circuit(seed)
    layer = {node["uid"]: node["layer"] for node in rows["CircuitNode"]}
    found = catalogue().run(ladybug, "evidence", {"circuit": rows["Circuit"][0]["uid"]})
    by_stretch: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for edge in rows["ATTRIBUTES_TO"]:
        if edge["observed"] is not None:
            stretch = layer[edge["source"]], layer[edge["target"]]
            by_stretch.setdefault(stretch, []).append((edge["weight"], edge["observed"]))
    assert [(row[0], row[1]) for row in found.rows] == sorted(by_stretch)
    for row in found.rows:
        p, o = np.array(by_stretch[row[0], row[1]]).T
        wanted = [len(p), np.corrcoef(p, o)[0, 1], (p @ o) / (p @ p), len(p), np.mean(p * o > 0), 9]
        assert row[2:] == pytest.approx(wanted, abs=1e-5)


def test_unconfirmed_edges_are_those_observed_to_do_too_little(ladybug: Store) -> None:
    rows = circuit(1)
    found = catalogue().run(ladybug, "unconfirmed_edges", {"circuit": rows["Circuit"][0]["uid"], "limit": 10000})
    wanted = {
        (edge["source"], edge["target"])
        for edge in rows["ATTRIBUTES_TO"]
        if edge["observed"] is not None and edge["observed"] / edge["weight"] < 0.5
    }
    assert {(row[3], row[4]) for row in found.rows} == wanted != set()
    sizes = [abs(row[0]) for row in found.rows]
    assert sizes == sorted(sizes, reverse=True)


def paths(
    rows: Rows, min_weight: float, hops: int, source: str = "", target: str = "", by: str = "weight"
) -> dict[tuple[str, ...], float]:
    """Paths and the products of their weights, by networkx."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(node["uid"] for node in rows["CircuitNode"])
    for edge in rows["ATTRIBUTES_TO"]:
        if edge[by] is not None and abs(edge[by]) >= min_weight:
            graph.add_edge(edge["source"], edge["target"], weight=edge[by])
    found = {}
    for start in [source] if source else graph:
        for path in nx.all_simple_paths(graph, start, [target] if target else list(graph), cutoff=hops):
            if len(path) > 1:
                found[tuple(path)] = product(graph, path)
    return found


def product(graph: "nx.DiGraph[str]", path: list[str]) -> float:
    total = 1.0
    for s, t in pairwise(path):
        total *= graph[s][t]["weight"]
    return total


def test_labels_stay_with_their_nodes_however_many_paths_there_are(ladybug: Store) -> None:
    rows = circuit(0)
    nodes = {node["uid"]: node for node in rows["CircuitNode"]}
    of, metric = rows["Circuit"][0]["uid"], rows["CircuitNode"][-1]["uid"]
    for name, arguments in (
        ("strongest_paths", {"circuit": of, "target": metric, "limit": 1000}),
        ("upstream_paths", {"node": metric, "max_hops": 5, "min_weight": 0, "limit": 10000}),
    ):
        found = catalogue().run(ladybug, name, arguments).rows
        assert sum(len(row[-1]) for row in found) > 2048
        assert all(row[2] == [label(nodes[uid]) for uid in row[-1]] for row in found)


@pytest.mark.parametrize("seed", SEEDS)
def test_paths_through_a_feature_pass_one_of_its_nodes(ladybug: Store, seed: int) -> None:
    rows = circuit(seed)
    every = paths(rows, 0.0, 9, target=rows["CircuitNode"][-1]["uid"])
    tokens = {node["uid"] for node in rows["CircuitNode"] if node["kind"] == "token"}
    for one in {edge["target"] for edge in rows["INSTANCE_OF"]}:
        through = {edge["source"] for edge in rows["INSTANCE_OF"] if edge["target"] == one}
        arguments = {"circuit": rows["Circuit"][0]["uid"], "feature": one, "limit": 1000}
        found = {tuple(row[-1]): row[0] for row in catalogue().run(ladybug, "paths_through", arguments).rows}
        assert found == {
            path: pytest.approx(weight) for path, weight in every.items() if path[0] in tokens and through & {*path}
        }


@pytest.mark.parametrize("seed", SEEDS)
def test_hubs_are_the_nodes_of_the_largest_degree(ladybug: Store, seed: int) -> None:
    rows = circuit(seed)
    answer = catalogue().run(ladybug, "hubs", {"circuit": rows["Circuit"][0]["uid"], "limit": 1000})
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(node["uid"] for node in rows["CircuitNode"])
    graph.add_weighted_edges_from((e["source"], e["target"], abs(e["weight"])) for e in rows["ATTRIBUTES_TO"])
    wanted = {
        uid: [
            graph.degree(uid), graph.in_degree(uid), graph.out_degree(uid),
            pytest.approx(graph.in_degree(uid, "weight")), pytest.approx(graph.out_degree(uid, "weight")),
        ]
        for uid in graph
    }  # fmt: skip
    assert {row[0]: row[4:] for row in answer.rows} == wanted
    degrees = [row[4] for row in answer.rows]
    assert degrees == sorted(degrees, reverse=True)


@pytest.mark.parametrize(("aggregation", "seeds"), [("prompt", (0, 2, 4)), ("task", (1, 3, 5)), ("all", SEEDS)])
def test_features_occur_together_in_the_circuits_that_both_stand_in(
    ladybug: Store, aggregation: str, seeds: tuple[int, ...]
) -> None:
    worlds = {seed: {edge["target"] for edge in circuit(seed)["INSTANCE_OF"]} for seed in seeds}
    circuits = {uid: {seed for seed in seeds if uid in worlds[seed]} for uid in set.union(*worlds.values())}
    for one, own in circuits.items():
        given = {"feature": one, "aggregation": aggregation}
        answer = catalogue().run(ladybug, "cooccurring_features", given)
        assert {row[0]: row[3:] for row in answer.rows} == {
            other: [n := len(own & there), n / len(own), len(there), pytest.approx(n / len(own | there))]
            for other, there in circuits.items()
            if other != one and own & there
        }


def test_edges_of_a_feature_are_those_that_recur(ladybug: Store) -> None:
    one = feature(1, 1)
    given = {"aggregation": "all", "min_circuits": 1, "limit": 10_000}
    edges = as_objects(catalogue().run(ladybug, "recurring_edges", given))
    expected = {
        ("output", edge["target"], edge["n_circuits"], edge["mean_weight"]) for edge in edges if edge["source"] == one
    }
    expected |= {
        ("input", edge["source"], edge["n_circuits"], edge["mean_weight"]) for edge in edges if edge["target"] == one
    }
    found = as_objects(catalogue().run(ladybug, "feature_edges", {"feature": one, "limit": 10_000}))
    assert expected
    assert {(row["direction"], row["feature"], row["n_circuits"], row["mean_weight"]) for row in found} == expected


def test_edges_that_two_tasks_share_occur_in_circuits_of_both(ladybug: Store) -> None:
    weights: dict[str, dict[tuple[str, str], list[float]]] = {"agreement": {}, "opposites": {}}
    for seed in SEEDS:
        world = circuit(seed)
        for pair, weight in edges_between_features(world).items():
            weights[world["Task"][0]["name"]].setdefault(pair, []).append(weight)
    one, other = weights.values()
    given = {"task": "agreement", "other": "opposites", "aggregation": "all", "limit": 10000}
    answer = catalogue().run(ladybug, "shared_edges", given)
    assert {(row[0], row[1]): row[2:] for row in answer.rows} == {
        pair: [
            len(one[pair]), pytest.approx(np.mean(one[pair]), abs=1e-8),
            len(other[pair]), pytest.approx(np.mean(other[pair]), abs=1e-8),
        ]
        for pair in one.keys() & other.keys()
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["key", "KEYS", "the key 4", "it's", "'", " b", '"', "a", "zz", "*", "key*", "ke?s", "\\", "AGREE", "toy.0", "to"],
)
@pytest.mark.parametrize("at", ["anywhere", "start"])
def test_search_finds_what_holds_the_text_as_it_stands_in_any_case(ladybug: Store, text: str, at: str) -> None:
    texts = {("label", f["label"], f["uid"]) for f in shared()["Feature"] if "label" in f}
    texts |= {("promotes", token, f["uid"]) for f in shared()["Feature"] for token in f.get("top_tokens", [])}
    assert all(f.get("label") not in f.get("top_tokens", []) for f in shared()["Feature"])
    prompts = [prompt for seed in SEEDS for prompt in circuit(seed).get("Prompt", [])]
    texts |= {("prompt", prompt["text"], prompt["uid"]) for prompt in prompts}
    tokens = {token for prompt in prompts for token in prompt["tokens"]}
    texts |= {("token", token, min(p["uid"] for p in prompts if token in p["tokens"])) for token in tokens}
    for found, rows in (("model", shared()["Model"]), ("circuit", [circuit(seed)["Circuit"][0] for seed in SEEDS])):
        texts |= {(found, r["name"] if text.lower() in r["name"].lower() else r["uid"], r["uid"]) for r in rows}
    wanted = {
        (found, match(plain, text.strip().lower()), held, uid)
        for found, held, uid in texts
        if text.lower() in held.lower()
        for plain in [held.strip().lower()]
        if at == "anywhere" or plain.startswith(text.strip().lower())
    }
    answer = catalogue().run(ladybug, "search", {"text": text, "at": at, "limit": 10000})
    assert {tuple(row) for row in answer.rows} == wanted
    assert len(answer.rows) == len(wanted)


def test_search_finds_tokens_of_any_length(store: Store, tmp_path: Path) -> None:
    words = ["x" * length for length in range(1, 30)] + ["é" * length for length in range(1, 15)]
    tokens = [f"{blank}{word}{after}" for word in words for blank in (" ", "\n", "  ") for after in ("", " ")]
    prompt: Rows = {"Prompt": [{"uid": "prompt:long", "text": "".join(tokens), "tokens": tokens}]}
    store.load(write(tmp_path / "bundle", prompt))
    for word in words:
        given = {"text": word, "among": "token", "limit": 10000}
        found = {(row[1], row[2]) for row in catalogue().run(store, "search", given).rows}
        assert found == {(match(token.strip(), word), token) for token in tokens if word in token}


def match(plain: str, text: str) -> str:
    return "exact" if plain == text else "prefix" if plain.startswith(text) else "substring"


def test_the_labels_of_a_path_say_kind_layer_index_and_token(ladybug: Store) -> None:
    rows = circuit(0)
    nodes = {node["uid"]: node for node in rows["CircuitNode"]}
    arguments = {"node": rows["CircuitNode"][-1]["uid"], "max_hops": 5, "min_weight": 0.1, "limit": 500}
    answer = catalogue().run(ladybug, "upstream_paths", arguments)
    for row in answer.rows:
        named = dict(zip(answer.columns, row, strict=True))
        assert named["labels"] == [label(nodes[uid]) for uid in named["nodes"]]
        assert named["hops"] == len(named["weights"]) == len(named["observed"]) == len(named["nodes"]) - 1


def label(node: dict[str, object]) -> str:
    kind = str(node["kind"])
    index = "" if node["index"] is None else f":{node['index']}"
    place = "" if kind in ("token", "metric") else f" {node['layer']}{index}"
    where = node["position"] if node["token"] is None else node["token"]
    return kind + place + ("" if where in (None, "") else f" @{where}")


def effects_of(rows: Rows) -> dict[str, float | None]:
    """The effect of each feature of a circuit, summed over positions; None where no node of it has one."""
    total: dict[str, float | None] = {}
    for node in rows["CircuitNode"]:
        if node["kind"] == "feature":
            uid = feature(node["layer"], node["index"])
            total.setdefault(uid, None)
            if node["effect"] is not None:
                total[uid] = (total[uid] or 0.0) + node["effect"]
    return total


@pytest.mark.parametrize(
    ("seeds", "chosen"),
    [((0, 2, 4), {}), ((3,), {"aggregation": "task", "task": "opposites"}), (SEEDS, {"aggregation": "all"})],
)
def test_recurring_features_count_circuits_and_average_the_effects_that_are_known(
    ladybug: Store, seeds: tuple[int, ...], chosen: dict[str, object]
) -> None:
    effects: dict[str, list[float | None]] = {}
    for seed in seeds:
        for uid, effect in effects_of(circuit(seed)).items():
            effects.setdefault(uid, []).append(effect)
    answer = catalogue().run(ladybug, "recurring_features", {"min_circuits": 1, **chosen})
    found = {row[0]: dict(zip(answer.columns, row, strict=True)) for row in answer.rows}
    assert set(found) == set(effects)
    for uid, values in effects.items():
        assert found[uid]["n_circuits"] == len(values)
        assert found[uid]["share"] == len(values) / len(seeds)
        known = [value for value in values if value is not None]
        for column, wanted in (
            ("mean_effect", known),
            ("mean_abs_effect", [abs(value) for value in known]),
            ("positive", [float(value > 0) for value in known]),
        ):
            mean = pytest.approx(sum(wanted) / len(wanted), abs=1e-8) if known else None
            assert found[uid][column] == mean, column


def test_the_features_of_a_cluster_recur_as_they_do_among_all(ladybug: Store) -> None:
    members = {row["source"] for row in clustered()["MEMBER_OF.Feature-Cluster"] if row["target"] == f"{KMEANS}:1"}
    recurring = catalogue().run(ladybug, "recurring_features", {"min_circuits": 1}).rows
    expected = [row for row in recurring if row[0] in members]
    assert expected
    assert len(expected) < len(recurring)
    chosen = {"min_circuits": 1, "cluster": f"{KMEANS}:1"}
    assert catalogue().run(ladybug, "recurring_features", chosen).rows == expected


@pytest.mark.parametrize(
    ("seeds", "chosen"),
    [
        ((0, 2, 4), {}),
        ((0, 4), {"task": "agreement"}),
        ((1, 3, 5), {"aggregation": "task"}),
        (SEEDS, {"aggregation": "all"}),
        ((2, 3), {"aggregation": "all", "task": "task:opposites"}),
    ],
)
def test_recurring_edges_count_the_circuits_chosen_and_average_their_weights(
    ladybug: Store, seeds: tuple[int, ...], chosen: dict[str, object]
) -> None:
    weights: dict[tuple[str, str], list[float]] = {}
    for seed in seeds:
        for pair, weight in edges_between_features(circuit(seed)).items():
            weights.setdefault(pair, []).append(weight)
    answer = catalogue().run(ladybug, "recurring_edges", {"min_circuits": 1, "limit": 10000, **chosen})
    found = {(row[0], row[1]): dict(zip(answer.columns, row, strict=True)) for row in answer.rows}
    assert set(found) == set(weights)
    for pair, values in weights.items():
        assert found[pair]["n_circuits"] == len(values)
        assert found[pair]["share"] == len(values) / len(seeds)
        assert found[pair]["mean_weight"] == pytest.approx(sum(values) / len(values), abs=1e-8)
        assert found[pair]["mean_abs_weight"] == pytest.approx(sum(map(abs, values)) / len(values), abs=1e-8)
        positive = sum(value > 1e-9 for value in values) / len(values)
        assert found[pair]["sign_agreement"] == pytest.approx(max(positive, 1 - positive))


def edges_between_features(rows: Rows) -> dict[tuple[str, str], float]:
    """The weights between two features, summed over positions."""
    features = {edge["source"]: edge["target"] for edge in rows["INSTANCE_OF"]}
    total: dict[tuple[str, str], float] = {}
    for edge in rows["ATTRIBUTES_TO"]:
        if edge["source"] in features and edge["target"] in features:
            pair = features[edge["source"]], features[edge["target"]]
            total[pair] = total.get(pair, 0.0) + edge["weight"]
    return total


def test_circuits_are_compared_as_their_sets_of_features(ladybug: Store) -> None:
    worlds = [circuit(seed) for seed in SEEDS]
    features = {w["Circuit"][0]["uid"]: {e["target"] for e in w["INSTANCE_OF"]} for w in worlds}
    one = worlds[0]["Circuit"][0]["uid"]
    found = catalogue().run(ladybug, "similar_circuits", {"circuit": one}).rows
    wanted = {
        uid: len(features[one] & other) / len(features[one] | other)
        for uid, other in features.items()
        if uid != one and features[one] & other
    }
    assert {row[0]: row[5] for row in found} == pytest.approx(wanted)
    for other in (uid for uid in features if uid != one):
        for found_in, expected in (
            ("both", features[one] & features[other]),
            ("one", features[one] - features[other]),
            ("other", features[other] - features[one]),
        ):
            given = {"circuit": one, "other": other, "found_in": found_in}
            assert {row[0] for row in catalogue().run(ladybug, "compare_circuits", given).rows} == expected


@pytest.mark.parametrize(("one", "other"), [(0, 1), (3, 2)])
def test_circuits_are_compared_by_effects_that_are_empty_where_they_are_not_known(
    ladybug: Store, one: int, other: int
) -> None:
    uids = [circuit(seed)["Circuit"][0]["uid"] for seed in (one, other)]
    rows = catalogue().run(ladybug, "compare_circuits", {"circuit": uids[0], "other": uids[1]}).rows
    effects = [effects_of(circuit(seed)) for seed in (one, other)]
    assert None in {*effects[0].values(), *effects[1].values()}
    assert {row[0]: row[5:] for row in rows} == {
        uid: [None if (effect := known.get(uid)) is None else pytest.approx(effect) for known in effects]
        for uid in effects[0].keys() | effects[1].keys()
    }


def test_features_that_two_tasks_share_stand_in_circuits_of_both(ladybug: Store) -> None:
    worlds = [circuit(seed) for seed in SEEDS]
    by_task: dict[str, list[set[str]]] = {}
    for world in worlds:
        by_task.setdefault(world["Task"][0]["name"], []).append({e["target"] for e in world["INSTANCE_OF"]})
    given = {"task": "agreement", "other": "opposites", "aggregation": "all"}
    rows = catalogue().run(ladybug, "shared_features", given).rows
    counts = {row[0]: (row[4], row[6]) for row in rows}
    both = [set.union(*by_task[task]) for task in ("agreement", "opposites")]
    assert set(counts) == both[0] & both[1]
    for uid, (one, other) in counts.items():
        assert one == sum(uid in features for features in by_task["agreement"])
        assert other == sum(uid in features for features in by_task["opposites"])


@pytest.mark.parametrize(
    ("given", "column", "wanted"),
    [
        ({"promotes": " 3"}, "top_tokens", lambda tokens: " 3" in (tokens or [])),
        ({"suppresses": "it's"}, "bottom_tokens", lambda tokens: "it's" in (tokens or [])),
        ({"active_on": "3"}, "examples", lambda texts: any("«3»" in text for text in texts or [])),
        ({"label": "KEYS"}, "label", lambda label: "keys" in (label or "")),
        ({"layer": 2}, "layer", lambda layer: layer == 2),
        ({}, "uid", lambda uid: True),
    ],
)
def test_features_are_found_by_what_they_promote_suppress_or_are_active_on(
    ladybug: Store, given: dict[str, object], column: str, wanted: Callable[[Any], bool]
) -> None:
    answer = catalogue().run(ladybug, "find_features", given)
    every = [{"examples": None, **row} for row in shared()["Feature"]]
    assert {row[0] for row in answer.rows} == {row["uid"] for row in every if wanted(row.get(column))}
    assert answer.rows


def test_a_feature_tells_all_that_is_known_of_it(ladybug: Store) -> None:
    for row in shared()["Feature"]:
        answer = catalogue().run(ladybug, "feature", {"feature": row["uid"]})
        told = dict(zip(answer.columns, answer.rows[0], strict=True))
        assert row.items() <= told.items()


@pytest.mark.parametrize("within", [True, False])
@pytest.mark.parametrize("min_circuits", [1, 3, 4])
@pytest.mark.parametrize("clustering", [row["uid"] for row in clustered()["Clustering"]])
def test_the_graph_of_clusters_sums_what_their_members_do_to_each_other(
    ladybug: Store, clustering: str, min_circuits: int, within: bool
) -> None:
    rows = clustered()
    cluster_of = {
        r["source"]: r["target"] for r in rows["MEMBER_OF.Feature-Cluster"] if r["target"].startswith(clustering)
    }
    weights: dict[tuple[str, str], list[float]] = {}
    for seed in SEEDS:
        for pair, weight in edges_between_features(circuit(seed)).items():
            weights.setdefault(pair, []).append(weight)
    wanted: dict[tuple[str, str], list[float]] = {}
    for (source, target), values in weights.items():
        a, b = cluster_of.get(source), cluster_of.get(target)
        if a and b and (within or a != b) and len(values) >= min_circuits:
            total = wanted.setdefault((a, b), [0, 0.0, 0.0])
            mean, size = sum(values) / len(SEEDS), sum(map(abs, values)) / len(SEEDS)
            total[:] = [total[0] + 1, total[1] + mean, total[2] + size]
    arguments = {"clustering": clustering, "within": within, "min_circuits": min_circuits}
    answer = catalogue().run(ladybug, "cluster_graph", arguments)
    assert {(row[0], row[1]): row[4:] for row in answer.rows} == {
        pair: pytest.approx(total, abs=1e-7) for pair, total in wanted.items()
    }
    assert wanted


def test_a_feature_is_in_one_cluster_of_each_clustering_that_does_not_leave_it_out(ladybug: Store) -> None:
    rows = clustered()
    for one in rows["Feature"]:
        found = catalogue().run(ladybug, "feature_clusters", {"feature": one["uid"]})
        wanted = [r["target"] for r in rows["MEMBER_OF.Feature-Cluster"] if r["source"] == one["uid"]]
        assert sorted(row[5] for row in found.rows) == sorted(wanted)
        assert [row[0] for row in found.rows] == [row[5].rpartition(":")[0] for row in found.rows]


@pytest.mark.parametrize("method", ["sae_match", "feature_flow"])
def test_a_lineage_is_the_chain_of_best_matches_either_way(ladybug: Store, method: str) -> None:
    links = [row for row in matches()["MATCHES"] if row["method"] == method]
    forwards = {row["source"]: row for row in links if row["rank"] == 1}
    for layer, index in ((0, 1), (1, 4), (3, 0)):
        at, product = feature(layer, index), 1.0
        wanted: list[tuple[int, str, object]] = []
        while at in forwards:
            product *= forwards[at]["score"]
            at = forwards[at]["target"]
            wanted.append((len(wanted) + 1, at, pytest.approx(product)))
        arguments = {"feature": feature(layer, index), "method": method, "direction": "forwards", "max_hops": 8}
        found = catalogue().run(ladybug, "feature_lineage", arguments)
        assert [(row[1], row[2], row[6]) for row in found.rows] == wanted
        arguments = {"feature": feature(layer, index), "method": method, "direction": "backwards", "max_hops": 1}
        found = catalogue().run(ladybug, "feature_lineage", arguments)
        before = {r["source"] for r in links if r["target"] == feature(layer, index) and r["reverse_rank"] == 1}
        assert {row[2] for row in found.rows} == before


def test_the_links_of_a_lineage_carry_what_circuits_say_of_them(ladybug: Store) -> None:
    weights: dict[tuple[str, str], list[float]] = {}
    for seed in SEEDS:
        for pair, weight in edges_between_features(circuit(seed)).items():
            weights.setdefault(pair, []).append(weight)
    joined = 0
    for index in range(5):
        answer = catalogue().run(ladybug, "lineage_paths", {"feature": feature(0, index), "max_hops": 8})
        rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
        assert [row["hops"] for row in rows] == [1, 2, 3]
        assert [row["target"] for row in rows[:-1]] == [row["source"] for row in rows[1:]]
        for row in rows:
            values = weights.get((row["source"], row["target"]), [])
            assert row["n_circuits"] == len(values)
            mean = sum(values) / len(values) if values else None
            assert row["mean_weight"] == (None if mean is None else pytest.approx(mean, abs=1e-8))
            joined += bool(values)
    assert joined


def test_an_unknown_uid_is_told_apart_from_an_empty_answer(ladybug: Store) -> None:
    token = circuit(0)["CircuitNode"][0]["uid"]
    assert catalogue().run(ladybug, "upstream_paths", {"node": token}).rows == []
    with pytest.raises(NotFoundError, match="no CircuitNode 'nothing' is stored"):
        catalogue().run(ladybug, "upstream_paths", {"node": "nothing"})
    with pytest.raises(NotFoundError, match="no Circuit 'nothing'"):
        catalogue().run(ladybug, "ablations", {"circuit": "nothing"})


def test_one_thing_has_one_name_in_every_query() -> None:
    named = {
        "Circuit": {"circuit", "other"},
        "Feature": {"feature"},
        "CircuitNode": {"node", "source", "target"},
        "Clustering": {"clustering"},
        "Cluster": {"cluster"},
    }
    for query in catalogue():
        for parameter in query.params.values():
            if parameter.label:
                assert parameter.name in named[parameter.label], query.name
