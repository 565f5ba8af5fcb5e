"""Sub-graphs against networkx on the rows that were loaded."""

from typing import Any

import networkx as nx
import pytest
from fastapi.testclient import TestClient

from queries.catalogue import catalogue
from tests.api.problems import problem
from tests.queries.world import circuit

ROWS = circuit(0)
CIRCUIT = ROWS["Circuit"][0]["uid"]
METRIC = ROWS["CircuitNode"][-1]["uid"]
MIDDLE = next(n["uid"] for n in ROWS["CircuitNode"] if n["kind"] == "feature" and n["layer"] == 1)


def graph(client: TestClient, **given: object) -> dict[str, Any]:
    response = client.get(f"/circuits/{CIRCUIT}/graph", params=given)  # type: ignore[arg-type]
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def uids(body: dict[str, Any]) -> list[str]:
    return [row["uid"] for row in body["nodes"]["rows"]]


def edges(body: dict[str, Any]) -> set[tuple[str, str]]:
    return {(row["source"], row["target"]) for row in body["edges"]["rows"]}


def size(uid: str) -> float:
    effect = next(node["effect"] for node in ROWS["CircuitNode"] if node["uid"] == uid)
    return -1.0 if effect is None else abs(effect)


def test_it_holds_the_strongest_nodes_and_only_edges_among_them(served: TestClient) -> None:
    body = graph(served, top_nodes=20, min_weight=0.1)
    every = sorted((node["uid"] for node in ROWS["CircuitNode"]), key=lambda uid: (-size(uid), uid))
    assert uids(body) == every[:20]
    assert edges(body) == {
        (e["source"], e["target"])
        for e in ROWS["ATTRIBUTES_TO"]
        if {e["source"], e["target"]} <= set(every[:20]) and abs(e["weight"]) >= 0.1
    }


def test_it_says_how_much_is_hidden(served: TestClient) -> None:
    body = graph(served, top_nodes=10, limit=5)
    n_nodes, n_edges = len(ROWS["CircuitNode"]), len(ROWS["ATTRIBUTES_TO"])
    assert (body["n_nodes"], body["n_edges"]) == (n_nodes, n_edges)
    assert body["shown"] == f"10 of {n_nodes} nodes, 5 of {n_edges} edges"
    weights = [abs(row["weight"]) for row in body["edges"]["rows"]]
    assert weights == sorted(weights, reverse=True)


def test_errors_can_be_left_out_and_edges_be_those_that_were_observed(served: TestClient) -> None:
    whole = graph(served, top_nodes=1000, limit=10000)
    some = graph(served, top_nodes=1000, limit=10000, errors=False, observed=True)
    nodes = [node for node in whole["nodes"]["rows"] if node["kind"] != "error"]
    assert some["nodes"]["rows"] == nodes
    kept = {node["uid"] for node in nodes}
    edges = whole["edges"]["rows"]
    among = [e for e in edges if e["observed"] is not None and {e["source"], e["target"]} <= kept]
    assert some["edges"]["rows"] == among
    assert 0 < len(among) < len(edges)
    assert len(graph(served, top_nodes=9, errors=False)["nodes"]["rows"]) == 9


@pytest.mark.parametrize("centre", [METRIC, MIDDLE])
@pytest.mark.parametrize("hops", [1, 2, 3])
@pytest.mark.parametrize("min_weight", [0.0, 0.1])
def test_around_a_node_it_holds_those_that_a_few_edges_join_to_it(
    served: TestClient, centre: str, hops: int, min_weight: float
) -> None:
    wide: nx.Graph[str] = nx.Graph()
    wide.add_nodes_from(node["uid"] for node in ROWS["CircuitNode"])
    wide.add_edges_from((e["source"], e["target"]) for e in ROWS["ATTRIBUTES_TO"] if abs(e["weight"]) >= min_weight)
    away = nx.single_source_shortest_path_length(wide, centre, cutoff=hops)
    body = graph(served, around=centre, hops=hops, min_weight=min_weight, top_nodes=1000, limit=10000)
    assert uids(body) == sorted(away, key=lambda uid: (away[uid], -size(uid), uid))
    assert edges(body) == {
        (e["source"], e["target"])
        for e in ROWS["ATTRIBUTES_TO"]
        if {e["source"], e["target"]} <= set(away) and abs(e["weight"]) >= min_weight
    }
    few = graph(served, around=centre, hops=hops, min_weight=min_weight, top_nodes=4)
    assert uids(few) == uids(body)[:4]


def test_rows_have_the_columns_that_the_catalogue_documents(served: TestClient) -> None:
    body = graph(served)
    assert body["nodes"]["columns"] == list(catalogue()["top_nodes"].returns)
    assert body["edges"]["columns"] == list(catalogue()["graph_edges"].returns)


OTHER = circuit(1)["CircuitNode"][0]["uid"]


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        ({"around": "nothing"}, 404, "no CircuitNode 'nothing' is stored"),
        ({"around": OTHER}, 400, f"around: '{OTHER}' is a node of another circuit"),
        ({"around": METRIC, "hops": 9}, 400, "hops: '9' is not a whole number from 1 to 8"),
        ({"top_nodes": 0}, 400, "top_nodes: '0' is not"),
        ({"min_weight": "x"}, 400, "min_weight: 'x' is not a number"),
        ({"depth": 1}, 400, "no parameter 'depth'"),
        ({"circuit": "x"}, 400, "circuit is given twice"),
    ],
)
def test_what_cannot_be_drawn_is_named(served: TestClient, given: dict[str, Any], status: int, said: str) -> None:
    assert said in problem(served.get(f"/circuits/{CIRCUIT}/graph", params=given), status)
    assert "no Circuit 'nothing'" in problem(served.get("/circuits/nothing/graph"), 404)
