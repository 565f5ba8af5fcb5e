"""What queries say of circuits whose nodes have no effect: what is known, in a useful order, and no zeros."""

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
