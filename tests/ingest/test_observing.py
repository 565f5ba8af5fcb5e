"""More of a stored circuit observed: what was there stays, what is new is what one run would have observed at once."""

import shutil
from pathlib import Path

import pytest

from ingest.job import analyses_of, run_analysis, run_recipe
from store.bundle import open_bundle
from store.database import Store, open_store
from store.errors import BundleError, NotFoundError, NothingLeftError, RecipeError
from tests.ingest.tiny import random_sae, save_recipe

FEW, MORE = "nodes = 2\nedges = 3\nsample = 0\npairs = 2", "nodes = 6\nedges = 9\nsample = 2\npairs = 2"
OBSERVED = (
    (
        "MATCH (c:Circuit {aggregation: 'task'})<-[:IN_CIRCUIT]-(n:CircuitNode) WHERE n.observed_effect IS NOT NULL "
        "RETURN n.uid, n.observed_effect"
    ),
    (
        "MATCH (c:Circuit {aggregation: 'task'})<-[:IN_CIRCUIT]-(n:CircuitNode) "
        "MATCH (n)-[e:ATTRIBUTES_TO]->(t:CircuitNode) "
        "WHERE e.observed IS NOT NULL RETURN n.uid + ' ' + t.uid, e.observed"
    ),
)


def observed(store: Store) -> list[dict[str, float]]:
    return [dict(map(tuple, store.run(text).rows)) for text in OBSERVED]


def stored(folder: Path, evidence: str, **changes: str) -> tuple[Path, Store]:
    recipe = save_recipe(folder, evidence=evidence, **changes)
    store = open_store(f"ladybug:{folder / 'store.lbug'}")
    for bundle in run_recipe(recipe, folder / "out"):
        store.load(open_bundle(bundle))
    return recipe, store


def test_observing_more_adds_what_one_run_would_have_observed_at_once(tmp_path: Path) -> None:
    for name in ("at-once", "later"):
        (tmp_path / name).mkdir()
    _, at_once = stored(tmp_path / "at-once", MORE)
    with at_once:
        expected = observed(at_once)
    _, store = stored(tmp_path / "later", FEW)
    with store:
        first = observed(store)
        assert [len(found) for found in first] == [2, 3]
        more = save_recipe(tmp_path / "later", evidence=MORE)
        bundle = run_analysis("evidence", more, store, tmp_path / "later" / "out")
        report = store.load(open_bundle(bundle))
        assert report.circuits == []
        found = observed(store)
        for before, now, all_of_it in zip(first, found, expected, strict=True):
            assert before.items() <= now.items()
            assert now.keys() == all_of_it.keys()
            for uid, value in now.items():
                assert value == pytest.approx(all_of_it[uid], abs=1e-6)
        again = run_analysis("evidence", more, store, tmp_path / "later" / "out")
        assert again == bundle


def test_edges_past_a_dictionary_that_keeps_no_node_are_observed_as_they_were_predicted(tmp_path: Path) -> None:
    """The silent dictionary's error terms are candidates, so it is held where edges pass; the circuit drops them."""
    few, every = (f"nodes = 0\nedges = {n}\nsample = 0\npairs = 2" for n in (9, 999))
    dropped = "top_nodes = 12\nerrors = 'dropped'"
    found = []
    for name, evidence in (("at-once", every), ("later", few)):
        folder = tmp_path / name
        folder.mkdir()
        save_recipe(folder)
        shutil.rmtree(folder / "dictionaries" / "blocks.1.hook_resid_post")
        silent = random_sae("jumprelu", "blocks.1.hook_mlp_out", seed=1)
        silent.threshold.data[:] = 1e6
        silent.save_model(folder / "dictionaries" / "blocks.1.hook_mlp_out")
        _, store = stored(folder, evidence, pruning=dropped)
        with store:
            if name == "later":
                assert len(observed(store)[1]) < 9
                more = save_recipe(folder, evidence=every, pruning=dropped)
                store.load(open_bundle(run_analysis("evidence", more, store, folder / "out")))
            found.append(observed(store)[1])
            uses = "MATCH (c:Circuit)-[u:USES]->(d:Dictionary {site: 'mlp'}) RETURN DISTINCT u.cuts_edges"
            assert store.run(uses).rows == [[True]]
            passing = "MATCH (s:CircuitNode {layer: 0})-[e:ATTRIBUTES_TO]->(t:CircuitNode {layer: 2}) RETURN count(e)"
            assert store.run(passing).rows[0][0] > 0
            assert not store.run("MATCH (n:CircuitNode {layer: 1}) RETURN n.uid").rows
    assert found[1] == pytest.approx(found[0], abs=1e-6)
    assert any(abs(value) > 1e-3 for value in found[0].values())


def test_a_circuit_says_on_how_many_pairs_its_effects_were_observed(tmp_path: Path) -> None:
    _, store = stored(tmp_path, FEW)
    with store:
        rows = store.run("MATCH (c:Circuit) RETURN c.aggregation, c.observed_pairs, count(c)").rows
        assert sorted(map(str, rows)) == ["['prompt', 1, 2]", "['prompt', None, 6]", "['task', 2, 1]"]
        more = save_recipe(tmp_path, evidence=MORE)
        store.load(open_bundle(run_analysis("evidence", more, store, tmp_path / "out")))
        assert store.run("MATCH (c:Circuit {aggregation: 'task'}) RETURN c.observed_pairs").rows == [[2]]


def test_effects_on_other_pairs_are_not_mixed_with_those_that_are_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, store = stored(tmp_path, FEW)
    with store:
        before = store.digest()
        wider = save_recipe(tmp_path, evidence=MORE.replace("pairs = 2", "pairs = 4"))
        said = r"tiny\.toml: evidence\.pairs: pairs:tiny:\w+ was observed on 2 pairs, .* recipe's 4 .* set it to 2"
        with monkeypatch.context() as closed:
            closed.delattr("ingest.job.import_libraries")
            with pytest.raises(RecipeError, match=said):
                run_analysis("evidence", wider, store, tmp_path / "out")
        (bundle,) = run_recipe(wider, tmp_path / "out")
        with pytest.raises(BundleError, match="is stored with other content"):
            store.load(open_bundle(bundle))
        assert store.digest() == before
    with open_store(f"ladybug:{tmp_path / 'other.lbug'}") as other:
        other.load(open_bundle(bundle))
        assert other.run("MATCH (c:Circuit {aggregation: 'task'}) RETURN c.observed_pairs").rows == [[4]]


def test_where_nothing_is_left_to_observe_no_bundle_is_written(tmp_path: Path) -> None:
    recipe, store = stored(tmp_path, FEW)
    with store, pytest.raises(NothingLeftError, match="nothing left to observe"):
        run_analysis("evidence", recipe, store, tmp_path / "observed")
    assert [path.name for path in (tmp_path / "observed").iterdir()] == [".work"]


def test_merged_error_terms_stand_at_no_position_and_are_not_observed(tmp_path: Path) -> None:
    merged = "top_nodes = 12\nerrors = 'merged'"
    recipe = save_recipe(tmp_path, evidence=FEW, pruning=merged)
    with open_store(f"ladybug:{tmp_path / 'store.lbug'}") as store:
        for bundle in run_recipe(recipe, tmp_path / "out"):
            store.load(open_bundle(bundle))
        more = save_recipe(tmp_path, evidence="nodes = 99\nedges = 999\nsample = 0\npairs = 2", pruning=merged)
        store.load(open_bundle(run_analysis("evidence", more, store, tmp_path / "out")))
        for text, at_a_place in (
            ("(n:CircuitNode) WHERE n.kind <> 'metric'", "n.position IS NOT NULL"),
            (
                "(n:CircuitNode)-[e:ATTRIBUTES_TO]->(t:CircuitNode) WHERE n.kind <> 'metric'",
                "n.position IS NOT NULL AND (t.position IS NOT NULL OR t.kind = 'metric')",
            ),
        ):
            seen = "e.observed" if "[e" in text else "n.observed_effect"
            rows = store.run(
                f"MATCH (c:Circuit {{aggregation: 'task'}})<-[:IN_CIRCUIT]-{text} "
                f"RETURN {at_a_place} AS placed, {seen} IS NOT NULL AS seen"
            ).rows
            assert {tuple(row) for row in rows} == {(True, True), (False, False)}


def test_what_was_observed_meanwhile_does_not_mix_up_an_interrupted_observation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, store = stored(tmp_path, FEW)
    with store:
        more = save_recipe(tmp_path, evidence=MORE)

        def stop(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as stopped:
            stopped.setattr("ingest.analyses.evidence.tell_agreement", stop)
            with pytest.raises(KeyboardInterrupt):
                run_analysis("evidence", more, store, tmp_path / "out")
        some = save_recipe(tmp_path, evidence=MORE.replace("nodes = 6", "nodes = 4").replace("edges = 9", "edges = 6"))
        store.load(open_bundle(run_analysis("evidence", some, store, tmp_path / "out")))
        more = save_recipe(tmp_path, evidence=MORE)
        store.load(open_bundle(run_analysis("evidence", more, store, tmp_path / "out")))
        found = observed(store)
    (tmp_path / "other").mkdir()
    _, other = stored(tmp_path / "other", MORE)
    with other:
        for now, expected in zip(found, observed(other), strict=True):
            assert expected.keys() <= now.keys()
            for uid, value in expected.items():
                assert now[uid] == pytest.approx(value, abs=1e-6)


def test_an_ingest_that_observes_asks_for_no_analysis(tmp_path: Path) -> None:
    assert analyses_of(save_recipe(tmp_path, evidence=FEW)) == []


def test_where_no_circuit_is_stored_nothing_can_be_observed(tmp_path: Path) -> None:
    with open_store(f"ladybug:{tmp_path / 'store.lbug'}") as store, pytest.raises(NotFoundError, match="ingest"):
        run_analysis("evidence", save_recipe(tmp_path, evidence=FEW), store, tmp_path / "out")
