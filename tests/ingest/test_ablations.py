"""Ablation studies of stored circuits: everything a recipe asks for, tied to what it ablated, and true."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from ingest.gradients import hook_values
from ingest.hooks import EMBEDDING
from ingest.job import run_analysis, run_recipe
from ingest.nodes import means_of
from ingest.recipe import read_recipe
from ingest.steering import Change, measure_change
from ingest.subject import metric_of, open_subject
from store.bundle import Bundle, open_bundle
from store.database import open_store
from store.errors import NotFoundError, RecipeError
from tests.ingest.tiny import save_recipe

SAID = """
pairs = 4
sizes = [2, 5]
baselines = ["mean", "zero", "resample"]
random_circuits = 3
edges = [4, 8]
minimality = 3
features = 2
factors = [0.0, 2.0]
"""

Stored = tuple[Path, str, Bundle]


@pytest.fixture(scope="module")
def studied(tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """The recipe, the store's URL, and the bundle of a study that is loaded."""
    folder = tmp_path_factory.mktemp("study")
    recipe = save_recipe(folder, ablations=SAID)
    url = f"ladybug:{folder / 's.lbug'}"
    with open_store(url) as store:
        for path in run_recipe(recipe, folder / "out"):
            store.load(open_bundle(path))
        study = open_bundle(run_analysis("ablations", recipe, store, folder / "out"))
        report = store.load(study)
    assert report.circuits == []
    return recipe, url, study


def rows(studied: Stored, kind: str) -> list[dict[str, Any]]:
    with open_store(studied[1], read_only=True) as store:
        return [row for (row,) in store.run("MATCH (a:Ablation {kind: $kind}) RETURN a", {"kind": kind}).rows]


def test_every_size_baseline_and_treatment_of_errors_is_measured_once(studied: Stored) -> None:
    places = [(r["baseline"], r["errors"], r["n_nodes"]) for r in rows(studied, "completeness")]
    assert len(places) == len(set(places))
    for baseline in ("mean", "zero", "resample"):
        for errors in ("kept", "ablated"):
            assert {n for b, e, n in places if (b, e) == (baseline, errors)} >= {2, 5}
    for row in rows(studied, "faithfulness"):
        if row["n_nodes"] == 0:
            assert row["faithfulness"] in (0.0, None)
        elif row["low"] is not None:
            assert row["low"] <= row["faithfulness"] <= row["high"]


def test_random_circuits_stand_beside_each_size(studied: Stored) -> None:
    seeds = [r["seed"] for r in rows(studied, "random") if r["n_nodes"] == 5 and r["errors"] == "ablated"]
    assert sorted(set(seeds)) == [0, 1, 2]


def test_what_is_left_out_of_a_circuit_is_named(studied: Stored) -> None:
    with open_store(studied[1], read_only=True) as store:
        text = ("MATCH (a:Ablation {kind: 'minimality'})-[:ABLATES]->(n:CircuitNode)-[:IN_CIRCUIT]->(c:Circuit), "
                "(a)-[:TESTS]->(d:Circuit) RETURN n.effect, c.uid = d.uid")  # fmt: skip
        found = store.run(text).rows
        strongest = store.run("MATCH (n:CircuitNode {kind: 'feature'})-[:IN_CIRCUIT]->(:Circuit {aggregation: 'task'}) "
                              "RETURN n.effect").rows  # fmt: skip
    assert all(same for _, same in found)
    sizes = sorted((abs(effect) for (effect,) in strongest), reverse=True)
    assert sorted((abs(effect) for effect, _ in found), reverse=True) == sizes[:3]


def test_a_feature_ablated_in_a_task_is_measured_as_by_hand(studied: Stored) -> None:
    recipe = read_recipe(studied[0])
    subject = open_subject(recipe, "tiny.toml", "cpu")
    hooks, metric = [EMBEDDING, *subject.hooks], metric_of(subject.train)
    sides = [
        hook_values(subject.model, tokens, hooks, metric)[0]
        for tokens in (subject.train.clean_tokens, subject.train.patch_tokens)
    ]
    means = {h: means_of(d, {h: torch.cat([side[h] for side in sides])}) for h, d in subject.dictionaries.items()}
    asked = metric_of(subject.held_out)[slice(0, 4)]
    clean, _ = hook_values(subject.model, subject.held_out.clean_tokens[:4], hooks, asked)
    at = {f"{subject.model.name}:{hook.name}": hook for hook in subject.hooks}
    found = rows(studied, "feature") + [r for r in rows(studied, "steering") if r["n_nodes"] == 1]
    assert {row["factor"] for row in found} == {None, 0.0, 2.0}
    for row in found:
        dictionary, _, index = row["ablated"].rpartition(":")
        change = Change({at[dictionary]: torch.tensor([int(index)])}, row["factor"])
        m = measure_change(subject.model, subject.dictionaries, means, clean, asked, change, subject.first_position)
        assert row["metric"] == pytest.approx(float(m.mean()), abs=1e-5)


def test_a_pruned_circuit_says_how_it_was_pruned_and_what_that_kept(studied: Stored) -> None:
    found = {row["choice"]: row for row in rows(studied, "pruning")}
    assert json.loads(min(found, key=len)) == {"top_nodes": 10}
    dropped = next(row for choice, row in found.items() if json.loads(choice).get("errors") == "dropped")
    kept = next(
        row for choice, row in found.items() if json.loads(choice) == {"node_influence": 0.8, "edge_influence": 0.98}
    )
    assert dropped["n_nodes"] <= kept["n_nodes"]
    assert all(row["n_edges"] > 0 for row in found.values())


def test_what_was_studied_is_not_studied_again_and_loads_in_any_order(studied: Stored, tmp_path: Path) -> None:
    recipe, url, study = studied
    with open_store(url, read_only=True) as store:
        assert run_analysis("ablations", recipe, store, study.path.parent) == study.path
        digest = store.digest()
    circuits = next(
        path for path in study.path.parent.iterdir() if path.name != study.path.name and path.name[0] != "."
    )
    with open_store(f"ladybug:{tmp_path / 'other.lbug'}") as other:
        other.load(study)
        other.load(open_bundle(circuits))
        assert other.digest() == digest


def test_a_study_that_is_stored_is_written_again_where_its_bundle_is_gone(studied: Stored, tmp_path: Path) -> None:
    recipe, url, study = studied
    with open_store(url, read_only=True) as store:
        assert open_bundle(run_analysis("ablations", recipe, store, tmp_path / "out")).uid == study.uid


def test_a_model_in_half_precision_is_studied_in_the_same_ways(studied: Stored, tmp_path: Path) -> None:
    model = 'source = "./model"\nname = "tiny"\nstart_token = "<s>"\ndtype = "bfloat16"'
    recipe = save_recipe(tmp_path, ablations=SAID, model=model)
    with open_store(f"ladybug:{tmp_path / 's.lbug'}") as store:
        for path in run_recipe(recipe, tmp_path / "out"):
            store.load(open_bundle(path))
        found = open_bundle(run_analysis("ablations", recipe, store, tmp_path / "out"))
    kinds, expected = (set(of.table("Ablation")["kind"].to_pylist()) for of in (found, studied[2]))
    assert kinds == expected


def test_a_study_of_nothing_and_a_recipe_without_one_are_refused(studied: Stored, tmp_path: Path) -> None:
    with open_store(f"ladybug:{tmp_path / 'empty.lbug'}") as store:
        with pytest.raises(NotFoundError, match="no task's circuit of tiny is stored"):
            run_analysis("ablations", studied[0], store, tmp_path / "out")
        plain = tmp_path / "plain.toml"
        plain.write_text(studied[0].read_text().split("[ablations]")[0])
        with pytest.raises(RecipeError, match=r"plain\.toml: has no section \[ablations\]"):
            run_analysis("ablations", plain, store, tmp_path / "out")
