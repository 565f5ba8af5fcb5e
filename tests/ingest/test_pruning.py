"""What pruning leaves of a circuit, against networkx and by hand."""

import random
from itertools import pairwise
from pathlib import Path

import networkx as nx
import pytest

from ingest.hooks import EMBEDDING, parse_hook
from ingest.job import run_recipe
from ingest.nodes import METRIC, Node
from ingest.pruning import EdgeValue, Graph, NodeValue, influences, prune
from ingest.recipe import PruningSection, read_recipe
from store.bundle import open_bundle
from store.errors import RecipeError
from tests.ingest.tiny import save_recipe

HOOKS = [parse_hook(f"blocks.{layer}.hook_resid_post", 4) for layer in range(3)]
ALL = {"node_threshold": 0.0, "edge_threshold": 0.0, "top_nodes": 1000}


def random_graph(seed: int) -> Graph:
    """Tokens, features and errors of three dictionaries, the metric; edges between neighbours, some of no weight."""
    rng = random.Random(seed)
    layers = [[Node("token", EMBEDDING, p) for p in range(3)]]
    for hook in HOOKS:
        features = [Node("feature", hook, p, i) for p in range(3) for i in range(4)]
        layers.append(features + [Node("error", hook, p) for p in range(3)])
    layers.append([METRIC])
    nodes = {node: NodeValue(rng.gauss(0, 1), 1.0, 0.5) for layer in layers for node in layer}
    edges = {
        (s, t): EdgeValue(rng.choice([0.0, rng.gauss(0, 1)]), 0.25)
        for lower, upper in pairwise(layers)
        for s in lower
        for t in upper
    }
    return Graph(nodes, edges)


def by_paths(graph: Graph, node: Node) -> float:
    """Share of the metric that runs through a node: over all paths, the product of shares of incoming weight."""
    walk: nx.DiGraph[Node] = nx.DiGraph()
    walk.add_edges_from(edge for edge, value in graph.edges.items() if value.weight)
    if node not in walk or METRIC not in walk:
        return 0.0
    into = {t: sum(abs(graph.edges[s, t].weight) for s in walk.predecessors(t)) for t in walk}
    total = 0.0
    for path in nx.all_simple_paths(walk, node, METRIC):
        share = 1.0
        for edge in pairwise(path):
            share *= abs(graph.edges[edge].weight) / into[edge[1]]
        total += share
    return total


@pytest.mark.parametrize("seed", range(3))
def test_influence_is_the_sum_over_all_paths_of_shares_of_incoming_weight(seed: int) -> None:
    graph = random_graph(seed)
    found, scores = influences(graph)
    for node in graph.nodes:
        if node != METRIC:
            assert found[node] == pytest.approx(by_paths(graph, node))
    assert sum(score for (_, target), score in scores.items() if target == METRIC) == pytest.approx(1.0)


@pytest.mark.parametrize("share", [0.3, 0.8, 1.0])
def test_the_fewest_nodes_that_hold_a_share_of_the_influence_are_kept(share: float) -> None:
    graph = random_graph(1)
    influence = {n: v for n, v in influences(graph)[0].items() if n.kind in ("feature", "error")}
    kept = {n for n in prune(graph, PruningSection(**ALL, node_influence=share), 1.0).nodes if n in influence}
    held = sorted(influence.values(), reverse=True)
    fewest = next(n for n in range(1, len(held) + 1) if sum(held[:n]) >= share * sum(held) - 1e-12)
    strongest = set(sorted(influence, key=lambda n: -influence[n])[:fewest])
    assert kept <= strongest
    strong = {edge for edge, value in graph.edges.items() if value.weight}
    for node in strongest - kept:  # dead ends, once the others are gone
        before = any(target == node and (source in kept or source.kind == "token") for source, target in strong)
        behind = any(source == node and (target in kept or target == METRIC) for source, target in strong)
        assert not (before and behind)


@pytest.mark.parametrize("share", [0.5, 0.98])
def test_pruned_edges_hold_their_share_and_lead_from_somewhere_to_the_metric(share: float) -> None:
    graph = random_graph(2)
    scores = influences(graph)[1]
    pruned = prune(graph, PruningSection(**ALL, edge_influence=share), 1.0)
    assert len(pruned.edges) < len(graph.edges)
    fewest = sorted(scores.values(), reverse=True)
    n = next(n for n in range(len(fewest)) if sum(fewest[:n]) >= share * sum(fewest) - 1e-12)
    assert len(pruned.edges) <= n
    for node in pruned.nodes:
        assert node == METRIC or any(source == node for source, _ in pruned.edges)
        assert node.kind != "feature" or any(target == node for _, target in pruned.edges)


def test_thresholds_and_the_strongest_are_taken_by_size() -> None:
    graph = random_graph(3)
    pruned = prune(graph, PruningSection(top_nodes=5, node_threshold=0.1, edge_threshold=0.2), 2.0)
    sizes = sorted((abs(v.effect) for n, v in graph.nodes.items() if n.kind == "feature"), reverse=True)
    features = [n for n in pruned.nodes if n.kind == "feature"]
    assert sorted((abs(graph.nodes[n].effect) for n in features), reverse=True) == sizes[:5]
    assert all(abs(value.weight) >= 0.4 for value in pruned.edges.values())
    assert {abs(pruned.nodes[n].effect) >= 0.2 for n in pruned.nodes if n.kind == "error"} == {True}


def test_merged_error_terms_carry_the_sum_of_what_each_carried() -> None:
    graph = random_graph(4)
    pruned = prune(graph, PruningSection(**ALL, errors="merged"), 1.0)
    for hook in HOOKS:
        (merged,) = (n for n in pruned.nodes if n.kind == "error" and n.hook == hook)
        parts = [n for n in graph.nodes if n.kind == "error" and n.hook == hook]
        assert pruned.nodes[merged].effect == pytest.approx(sum(graph.nodes[n].effect for n in parts))
        assert pruned.nodes[merged].observed is None
        for (source, target), value in pruned.edges.items():
            if source == merged and target.kind != "error":
                total = sum(graph.edges[n, target].weight for n in parts)
                assert value.weight == pytest.approx(total)


def test_dropped_error_terms_and_dense_features_are_gone() -> None:
    graph = random_graph(5)
    dense = {n: 0.9 if n.index == 2 else 0.01 for n in graph.nodes if n.kind == "feature"}
    pruned = prune(graph, PruningSection(**ALL, errors="dropped", max_density=0.5), 1.0, dense)
    assert {n.kind for n in pruned.nodes} == {"token", "feature", "metric"}
    assert {n.index for n in pruned.nodes if n.kind == "feature"} == {0, 1, 3}


def test_a_recipe_that_prunes_by_influence_and_merges_errors_gives_a_sound_bundle(tmp_path: Path) -> None:
    whole = run_recipe(save_recipe(tmp_path), tmp_path / "out")
    said = 'top_nodes = 12\nnode_influence = 0.8\nedge_influence = 0.98\nerrors = "merged"'
    pruned = run_recipe(save_recipe(tmp_path, pruning=said), tmp_path / "out")
    bundles = [open_bundle(path) for path in (*pruned, *whole)]
    sizes = [sum(c["n_edges"] for c in bundle.table("Circuit").to_pylist()) for bundle in bundles]
    assert 0 < sizes[0] < sizes[1]
    rows = bundles[0].table("CircuitNode").to_pylist()
    assert all(row["position"] is None for row in rows if row["kind"] == "error")
    assert {row["influence"] for row in rows if row["kind"] == "metric"} == {1.0}


def test_density_without_a_corpus_is_refused(tmp_path: Path) -> None:
    recipe = save_recipe(tmp_path, pruning="max_density = 0.1")
    with pytest.raises(RecipeError, match=r"pruning\.max_density: features are seen in a corpus"):
        read_recipe(recipe)
