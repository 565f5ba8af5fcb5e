"""A recipe's matching from its file to the store, with all that can be wrong with it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from ingest.job import run_analysis, run_recipe
from store.bundle import Bundle, open_bundle
from store.database import Store, open_store
from store.errors import CircuitstoreError, ModelError, RecipeError
from tests.ingest.tiny import WORDS, random_sae, random_transcoder, save_recipe

SAID = "contexts = 5\ntokens = 3\nleast_active = 2\nconfirmed = 0.1"


def save_corpus(folder: Path) -> str:
    """A corpus of tiny contexts, and the section that names it."""
    tokens = np.random.default_rng(0).integers(2, len(WORDS), (6, 12)).astype(np.uint16)
    tokens[:, 0] = 0
    np.save(folder / "corpus.npy", tokens)
    return 'file = "corpus.npy"\nmax_norm = 50.0'


def recipe_at(folder: Path, **changes: str) -> Path:
    folder.mkdir(exist_ok=True)
    return save_recipe(folder, **({"corpus": save_corpus(folder), "matching": SAID} | changes))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(f"ladybug:{tmp_path / 'store.lbug'}")) as opened:
        yield opened


def matched(recipe: Path, store: Store, out: Path | None = None) -> Bundle:
    return open_bundle(run_analysis("matching", recipe, store, out or recipe.parent / "out"))


def test_a_recipe_gives_matches_of_all_neighbours_by_all_methods_and_their_quality(
    tmp_path: Path, store: Store
) -> None:
    bundle = matched(recipe_at(tmp_path / "recipe"), store)
    bundle.validate()
    quality = bundle.table("MATCHED").to_pylist()
    hooks = [f"tiny:blocks.{layer}.hook_resid_post" for layer in range(3)]
    methods = ("correlation", "feature_flow", "sae_match")
    wanted = {(a, b, method) for a, b in ((hooks[0], hooks[1]), (hooks[1], hooks[2])) for method in methods}
    assert {(row["source"], row["target"], row["method"]) for row in quality} == wanted
    rows = bundle.table("MATCHES").to_pylist()
    for one in quality:
        mine = [r for r in rows if r["method"] == one["method"] and r["source"].rpartition(":")[0] == one["source"]]
        best = [r for r in mine if r["rank"] == 1]
        tested = [r for r in best if r["n_active"]]
        assert one["n_matches"] == len(best)
        assert one["mean_score"] == pytest.approx(np.mean([r["score"] for r in best]), abs=1e-5)
        assert one["n_active"] == len(tested) > 0
        assert one["confirmed"] == pytest.approx(np.mean([r["confirmed"] for r in tested]), abs=1e-5)
        for r in tested:
            assert r["confirmed"] == (r["deactivation"] >= 0.1 and r["deactivation"] > r["control"])
        chance = np.mean([r["control"] >= 0.1 and r["control"] > r["deactivation"] for r in tested])
        assert one["control_confirmed"] == pytest.approx(chance, abs=1e-5)
        assert all(1 <= r["n_active"] <= 3 for r in tested)
        assert one["own_explained_variance"] is not None
    kinds = {r["kind"] for r in rows if r["method"] == "feature_flow" and r["reverse_rank"] == 1}
    assert kinds <= {"translated", "processed", "newborn"}
    assert None not in kinds


def test_the_same_recipe_gives_the_same_bundle_and_may_be_loaded_twice(tmp_path: Path, store: Store) -> None:
    recipe = recipe_at(tmp_path / "recipe")
    first = matched(recipe, store)
    again = matched(recipe, store, tmp_path / "again")
    assert first.uid == again.uid
    store.load(first)
    known = matched(recipe, store, tmp_path / "third")  # the store knows the dictionaries now
    store.load(known)
    digest = store.digest()
    assert matched(recipe, store, tmp_path / "third").path == known.path
    assert not store.load(matched(recipe, store, tmp_path / "fourth")).circuits
    assert store.digest() == digest
    assert store.run("MATCH (:Feature)-[m:MATCHES]->(:Feature) RETURN count(m) AS n").rows == [
        [first.table("MATCHES").num_rows]
    ]


def test_without_a_corpus_weights_alone_match(tmp_path: Path, store: Store) -> None:
    recipe = save_recipe(tmp_path, matching='methods = ["sae_match"]\ntokens = 0')
    bundle = matched(recipe, store)
    assert {row["method"] for row in bundle.table("MATCHES").to_pylist()} == {"sae_match"}
    assert all(row["explained_variance"] is None for row in bundle.table("MATCHED").to_pylist())


def test_only_the_pairs_named_are_matched_however_far_apart(tmp_path: Path, store: Store) -> None:
    pair = '["blocks.0.hook_resid_post", "blocks.2.hook_resid_post"]'
    recipe = recipe_at(tmp_path / "recipe", matching=f"{SAID}\npairs = [{pair}]")
    (row, *_) = matched(recipe, store).table("MATCHED").to_pylist()
    assert (row["source"], row["target"]) == ("tiny:blocks.0.hook_resid_post", "tiny:blocks.2.hook_resid_post")


def test_matches_join_what_circuits_say(tmp_path: Path, store: Store) -> None:
    recipe = recipe_at(tmp_path / "recipe")
    for bundle in run_recipe(recipe, tmp_path / "out"):
        store.load(open_bundle(bundle))
    store.load(matched(recipe, store))
    joined = store.run("MATCH (f:Feature)-[:MATCHES]->(g:Feature), (f)-[:FEEDS]->(g) RETURN count(f) AS n").rows
    assert joined[0][0] > 0


# Bad input: one message that names the input and the remedy, and nothing written.


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"matching": f'{SAID}\npairs = [["blocks.0.hook_resid_post", "blocks.7.hook_resid_post"]]'}, "no hook"),
        ({"matching": f'{SAID}\npairs = [["blocks.0.hook_resid_post", "blocks.1.hook_mlp_out"]]'}, "no dictionary for"),
        (
            {"matching": f'{SAID}\npairs = [["blocks.1.hook_resid_post", "blocks.0.hook_resid_post"]]'},
            "does not come after",
        ),
        (
            {"dictionaries": 'folder = "dictionaries"\nhooks = ["blocks.0.hook_resid_post"]'},
            "takes two dictionaries at least, and the recipe opens 1",
        ),
        ({"corpus": 'file = "nothing.npy"'}, "nothing.npy: can't be read"),
        ({"matching": 'methods = ["cosine"]'}, r"matching.methods.0: .*'sae_match'"),
        ({"matching": "confirmed = 2"}, "matching.confirmed"),
    ],
)
def test_what_cannot_be_matched_is_refused_with_nothing_written(
    tmp_path: Path, store: Store, changes: dict[str, str], message: str
) -> None:
    recipe = recipe_at(tmp_path / "recipe", **changes)
    with pytest.raises((RecipeError, ModelError), match=message):
        matched(recipe, store)
    assert not list((recipe.parent / "out").glob("matching*"))


def test_correlation_and_deactivation_want_a_corpus(tmp_path: Path, store: Store) -> None:
    for said in ("tokens = 0", 'methods = ["sae_match"]'):
        with pytest.raises(RecipeError, match=r"need a corpus: add \[corpus\]"):
            matched(save_recipe(tmp_path, matching=said), store)


def test_a_dictionary_that_is_stored_with_other_weights_is_refused(tmp_path: Path, store: Store) -> None:
    recipe = recipe_at(tmp_path / "recipe")
    store.load(matched(recipe, store))
    hook = "blocks.1.hook_resid_post"
    random_sae("jumprelu", hook, seed=9).save_model(recipe.parent / "dictionaries" / hook)
    with pytest.raises(ModelError, match=f"the dictionary of {hook} that is stored has other weights than"):
        matched(recipe, store)


def test_matches_of_other_settings_are_not_mixed_with_those_stored(tmp_path: Path, store: Store) -> None:
    store.load(matched(recipe_at(tmp_path / "recipe"), store))
    other = recipe_at(tmp_path / "recipe", matching=SAID.replace("3", "4"))
    pairs = [[f"tiny:blocks.{layer}.hook_resid_post" for layer in (n, n + 1)] for n in (0, 1)]
    message = "were matched by correlation with other settings.*`circuitstore delete --matches {} {}` first"
    with pytest.raises(CircuitstoreError, match=message.format(*pairs[0])):
        matched(other, store)
    for pair in pairs:
        store.delete_matches(*pair)
    again = matched(other, store)
    store.load(again)
    assert store.run("MATCH ()-[m:MATCHES]->() RETURN count(m)").rows == [[again.table("MATCHES").num_rows]]


def test_transcoders_are_matched_with_autoencoders_and_with_one_another(tmp_path: Path, store: Store) -> None:
    folder = tmp_path / "recipe"
    recipe_at(folder)
    for layer in (0, 1):
        reads, writes = f"blocks.{layer}.ln2.hook_normalized", f"blocks.{layer}.hook_mlp_out"
        made = random_transcoder("jumprelu_transcoder", reads, writes, seed=7 + layer)
        made.save_model(folder / "dictionaries" / writes)
    first, *others = (f"blocks.{place}" for place in ("0.hook_mlp_out", "1.hook_mlp_out", "1.hook_resid_post"))
    recipe = recipe_at(folder, matching=f"{SAID}\npairs = {[[first, other] for other in others]}")
    quality = matched(recipe, store).table("MATCHED").to_pylist()
    assert len(quality) == 6
    for row in quality:
        assert row["n_active"] > 0
        assert row["explained_variance"] is not None
