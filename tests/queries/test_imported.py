"""What queries say of circuits that other tools found: nodes without an effect, edges told apart by their input."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from queries.catalogue import catalogue
from store.database import Store
from tests.queries.loading import write
from tests.queries.world import Rows, circuit


@pytest.fixture
def rows(store: Store, tmp_path: Path) -> Rows:
    """The rows of the first of two circuits that are stored, neither with an effect."""
    worlds = [circuit(0), circuit(2)]
    for number, world in enumerate(worlds):
        for node in world["CircuitNode"]:
            node["effect"] = None
        store.load(write(tmp_path / str(number), world))
    return worlds[0]


def asked(store: Store, name: str, **given: object) -> list[dict[str, Any]]:
    answer = catalogue().run(store, name, given)
    return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]


def test_without_effects_nothing_is_said_to_be_zero_and_nodes_are_ranked_by_their_edges(
    store: Store, rows: Rows
) -> None:
    one, other = rows["Circuit"][0]["uid"], circuit(2)["Circuit"][0]["uid"]
    recurring = asked(store, "recurring_features", min_circuits=1)
    assert {row["uid"] for row in recurring} >= {edge["target"] for edge in rows["INSTANCE_OF"]}
    assert {row[name] for row in recurring for name in ("mean_effect", "mean_abs_effect", "positive")} == {None}
    compared = asked(store, "compare_circuits", circuit=one, other=other)
    assert {row[name] for row in compared for name in ("effect", "other_effect")} == {None}
    assert {row["found_in"] for row in compared} == {"both", "one", "other"}

    weights: dict[str, float] = defaultdict(float)
    for edge in rows["ATTRIBUTES_TO"]:
        weights[edge["source"]] += abs(edge["weight"])
        weights[edge["target"]] += abs(edge["weight"])
    heaviest = sorted(rows["CircuitNode"], key=lambda node: (-round(weights[node["uid"]], 9), node["uid"]))
    for kind in ("", "feature"):
        wanted = [node["uid"] for node in heaviest if kind in ("", node["kind"])]
        assert [row["uid"] for row in asked(store, "top_nodes", circuit=one, kind=kind, limit=1000)] == wanted


@pytest.mark.parametrize("name", ["downstream_paths", "upstream_paths", "paths_between", "strongest_paths"])
def test_paths_over_the_inputs_of_a_head_are_told_apart_by_their_labels(
    store: Store, tmp_path: Path, name: str
) -> None:
    kinds = {"token": -1, "head": 0, "metric": 1}
    token, head, metric = (f"c:{kind}" for kind in kinds)
    edges = [{"source": token, "target": head, "weight": 0.5, "input": input} for input in ("q", "v")]
    numbers = {"n_nodes": 3, "n_edges": 3}
    rows: Rows = {
        "Circuit": [{"uid": "c", "name": "c", "method": "EAP", "aggregation": "task", **numbers}],
        "CircuitNode": [
            {"uid": f"c:{kind}", "kind": kind, "layer": layer, "index": 6} for kind, layer in kinds.items()
        ],
        "ATTRIBUTES_TO": [*edges, {"source": head, "target": metric, "weight": 2.0, "input": None}],
        "IN_CIRCUIT": [{"source": f"c:{kind}", "target": "c"} for kind in kinds],
    }
    store.load(write(tmp_path / "bundle", rows))
    given = {"circuit": "c", "node": token if name == "downstream_paths" else metric, "source": token, "target": metric}
    found = asked(store, name, **{key: given[key] for key in given if key in catalogue()[name].params})
    whole = [row["labels"] for row in found if row["hops"] == 2]
    assert sorted(whole) == [["token", "head 0:6.q", "metric"], ["token", "head 0:6.v", "metric"]]
