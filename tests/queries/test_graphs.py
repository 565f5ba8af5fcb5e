"""What runs in Python on a circuit's edges, against brute force and networkx on random small circuits."""

import math
from itertools import combinations, pairwise, permutations

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networkx.algorithms.flow import edmonds_karp

from queries.catalogue import catalogue
from queries.graphs.cuts import min_cut, min_node_cut
from queries.graphs.dominators import bottlenecks, dominators
from queries.graphs.functions import FUNCTIONS
from queries.graphs.motifs import feed_forward_motifs
from queries.graphs.paths import paths_through, strongest_paths
from queries.graphs.subgraph import Edge, Subgraph
from store.database import Rows

METRIC = "z"
ALL = 10_000


@st.composite
def circuits(draw: st.DrawFn) -> Subgraph:
    """Up to eight nodes: one or two tokens, features, the metric; weights of either sign, equal ones and zeros."""
    names = "abcdefg"[: draw(st.integers(2, 7))] + METRIC
    tokens = draw(st.integers(1, 2))
    nodes = {
        uid: {
            "kind": "metric" if uid == METRIC else "token" if i < tokens else "feature",
            "layer": i,
            "index": None if i % 2 else i,
            "position": i,
            "token": None,
            "through": draw(st.booleans()),
        }
        for i, uid in enumerate(names)
    }
    weights = st.sampled_from((0.0, 0.5, -0.5, 0.3, -0.125, 0.1, 2.0, None))
    edges = [
        Edge(s, t, weight)
        for (i, s), (j, t) in combinations(enumerate(names), 2)
        if j >= tokens and (weight := draw(weights)) is not None
    ]
    used = {uid for edge in edges for uid in edge[:2]}
    return Subgraph(edges, {uid: known for uid, known in nodes.items() if uid in used})


def digraph(graph: Subgraph) -> "nx.DiGraph[str]":
    whole: nx.DiGraph[str] = nx.DiGraph()
    whole.add_nodes_from(graph.nodes)
    whole.add_weighted_edges_from([edge[:3] for edge in graph.edges])
    return whole


def paths(graph: Subgraph, sources: list[str], targets: list[str]) -> dict[tuple[str, ...], float]:
    whole = digraph(graph)
    return {
        tuple(path): math.prod(whole[s][t]["weight"] for s, t in pairwise(path))
        for source in sources
        for target in targets
        if source != target
        for path in nx.all_simple_paths(whole, source, target)
    }


def reaches(graph: Subgraph, without: str = "", edges: frozenset[tuple[str, str]] = frozenset()) -> set[str]:
    """The nodes that tokens still reach."""
    whole = digraph(graph)
    whole.remove_edges_from(edges)
    whole.remove_nodes_from([without] if without else [])
    return {uid for token in graph.inputs if token in whole for uid in (token, *nx.descendants(whole, token))}


@given(circuits(), st.integers(1, 6))
def test_the_strongest_paths_are_the_first_of_all_paths_by_product(graph: Subgraph, limit: int) -> None:
    every = paths(graph, graph.inputs, graph.outputs)
    sizes = sorted((abs(weight) for weight in every.values() if weight), reverse=True)
    found = strongest_paths(graph, source="", target="", confirmed=False, limit=limit)
    assert [abs(row[0]) for row in found] == pytest.approx(sizes[:limit])
    for weight, hops, labels, weights, observed, uids in found:
        assert weight == pytest.approx(every[tuple(uids)])
        assert hops == len(weights) == len(observed) == len(labels) - 1 == len(uids) - 1
    assert len({tuple(row[5]) for row in found}) == len(found)


@given(circuits())
def test_paths_between_two_nodes_and_through_some_are_those_of_networkx(graph: Subgraph) -> None:
    for source, target in combinations(graph.nodes, 2):
        wanted = {path for path, weight in paths(graph, [source], [target]).items() if weight}
        found = strongest_paths(graph, source=source, target=target, confirmed=False, limit=ALL)
        assert {tuple(row[5]) for row in found} == wanted
    through = {uid for uid, known in graph.nodes.items() if known["through"]}
    every = paths(graph, graph.inputs, graph.outputs)
    rows = paths_through(graph, limit=ALL)
    assert {tuple(row[5]) for row in rows} == {path for path, weight in every.items() if weight and through & {*path}}
    assert len(rows) == len({tuple(row[5]) for row in rows})


def test_edges_by_several_inputs_are_paths_of_their_own_and_labels_tell_which() -> None:
    known = {"index": 6, "position": None, "token": None, "through": True}
    nodes = {
        "t": {**known, "kind": "token", "layer": -1},
        "h": {**known, "kind": "head", "layer": 9},
        "m": {**known, "kind": "metric", "layer": 12},
    }
    inputs = [Edge("t", "h", 0.5, observed, input) for observed, input in ((None, "q"), (0.1, "v"), (None, "k"))]
    graph = Subgraph([*inputs, Edge("h", "m", 1.0)], nodes)
    for rows in (
        strongest_paths(graph, source="", target="", confirmed=False, limit=ALL),
        paths_through(graph, limit=ALL),
    ):
        assert [row[2][1] for row in rows] == ["head 9:6.k", "head 9:6.q", "head 9:6.v"]
        assert [row[4][0] for row in rows] == [None, None, 0.1]


def test_many_equal_paths_do_not_all_have_to_be_taken_up() -> None:
    layers = [[f"{layer}.{i}" for i in range(12)] for layer in range(12)]
    edges = [Edge(s, t, 0.1) for low, high in pairwise(layers) for s in low for t in high]
    known = {"kind": "feature", "layer": 0, "index": None, "position": None, "token": None}
    graph = Subgraph(edges, {uid: known for layer in layers for uid in layer})
    found = strongest_paths(graph, source="", target="", confirmed=False, limit=50)
    assert [row[0] for row in found] == pytest.approx([0.1**11] * 50)


@given(circuits())
def test_a_dominator_is_what_no_path_from_the_tokens_goes_round(graph: Subgraph) -> None:
    reached = reaches(graph)
    above = {uid: {other for other in reached - {uid} if uid not in reaches(graph, without=other)} for uid in reached}
    rows = {row[0]: row for row in dominators(graph, root="tokens", limit=ALL)}
    assert set(rows) == reached
    for uid, others in above.items():
        nearest = max(others, key=lambda other: len(above[other]), default=None)
        assert rows[uid][2:] == [nearest, sum(uid in dominated for dominated in above.values())]


@given(circuits())
def test_dominators_towards_the_output_are_those_of_the_circuit_turned_round(graph: Subgraph) -> None:
    kinds = {"token": "metric", "metric": "token"}
    turned = Subgraph(
        [Edge(edge.target, edge.source, edge.weight) for edge in graph.edges],
        {uid: known | {"kind": kinds.get(known["kind"], known["kind"])} for uid, known in graph.nodes.items()},
    )
    if METRIC in graph.nodes:
        found = dominators(graph, root="output", limit=ALL)
        there = dominators(turned, root="tokens", limit=ALL)
        assert [[row[0], *row[2:]] for row in found] == [[row[0], *row[2:]] for row in there]


@given(circuits())
def test_a_bottleneck_cuts_tokens_off_and_its_share_is_that_of_all_paths(graph: Subgraph) -> None:
    every = paths(graph, graph.inputs, graph.outputs)
    total = sum(map(abs, every.values()))
    rows = {row[0]: row for row in bottlenecks(graph, limit=ALL)}
    ends = {*graph.inputs, *graph.outputs}
    for uid in set(graph.nodes) - ends:
        mine = sum(abs(weight) for path, weight in every.items() if uid in path)
        cut = sorted(
            token
            for token in graph.inputs
            if (of := [path for path in every if path[0] == token]) and all(uid in path for path in of)
        )
        if mine > 0:
            assert rows[uid][2:] == [len(cut), pytest.approx(mine / total, abs=1e-8), cut]
        else:
            assert uid not in rows


@given(circuits())
def test_a_minimal_cut_parts_tokens_from_the_output_at_the_price_of_a_maximal_flow(graph: Subgraph) -> None:
    cut = frozenset((row[0], row[1]) for row in min_cut(graph, limit=ALL))
    nothing = frozenset((edge.source, edge.target) for edge in graph.edges if not edge.weight)
    assert not reaches(graph, edges=cut | nothing) & set(graph.outputs)
    flow = digraph(graph)
    for _, _, known in flow.edges(data=True):
        known["capacity"] = abs(known["weight"])
    flow.add_nodes_from("<>")
    flow.add_edges_from(("<", uid) for uid in graph.inputs)
    flow.add_edges_from((uid, ">") for uid in graph.outputs)
    price = nx.maximum_flow_value(flow, "<", ">", flow_func=edmonds_karp)
    assert sum(abs(row[2]) for row in min_cut(graph, limit=ALL)) == pytest.approx(price)


@given(circuits())
def test_a_node_cut_is_as_small_as_any_that_parts_tokens_from_the_output(graph: Subgraph) -> None:
    ends = {*graph.inputs, *graph.outputs}
    between = sorted(set(graph.nodes) - ends)
    straight = {(edge.source, edge.target) for edge in graph.edges if {edge.source, edge.target} <= ends}
    kept = Subgraph([edge for edge in graph.edges if edge[:2] not in straight], graph.nodes)
    every = [set(path) for path in paths(kept, graph.inputs, graph.outputs)]
    smallest = next(
        size
        for size in range(len(between) + 1)
        if any(all(path & {*some} for path in every) for some in combinations(between, size))
    )
    found = {row[0] for row in min_node_cut(graph, limit=ALL)}
    assert len(found) == smallest
    assert all(path & found for path in every)


@given(circuits())
def test_feed_forward_loops_are_all_triples_with_three_edges(graph: Subgraph) -> None:
    weight = {edge[:2]: edge.weight for edge in graph.edges}
    wanted = {
        (a, b, c): [min(abs(weight[p]) for p in ((a, b), (b, c), (a, c))), weight[a, c], weight[a, b] * weight[b, c]]
        for a, b, c in permutations(graph.nodes, 3)
        if {(a, b), (b, c), (a, c)} <= set(weight)
    }
    rows = feed_forward_motifs(graph, limit=ALL)
    assert {tuple(row[:3]): row[3:6] for row in rows} == wanted
    assert [row[3] for row in rows] == sorted((row[3] for row in rows), reverse=True)
    assert all(row[6] == (row[4] * row[5] > 0) for row in rows)


def test_every_function_makes_the_rows_of_a_query_and_every_such_query_has_one() -> None:
    assert {query.name for query in catalogue() if query.function} == set(FUNCTIONS)


def test_an_answer_made_in_python_is_cut_at_the_row_limit_and_says_so() -> None:
    fetched = Rows(
        ["source", "target", "weight", "source_kind", "target_kind"],
        [["a", "b", 0.5, "token", "feature"], ["b", "z", 0.5, "feature", "metric"]],
        truncated=False,
    )
    query = catalogue()["dominators"]
    values = query.arguments({"circuit": "c"})
    assert query.rows(fetched, values, None) == Rows(
        list(query.returns), [["a", "token", None, 2], ["b", "feature", "a", 1], ["z", "metric", "b", 0]], False
    )
    assert query.rows(fetched, values, 2).truncated
    assert len(query.rows(fetched, values, 2).rows) == 2
    assert query.rows(Rows(fetched.columns, [], False), values, None).rows == []
