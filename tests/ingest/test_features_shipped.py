"""What the demo ships about its features is what its recipe says of its dictionaries."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from ingest.analyses.features.activity import Activity, seen
from ingest.corpus import Corpus, hook_values, open_corpus, ordinary
from ingest.description import promoted_tokens
from ingest.dictionaries import Dictionary
from ingest.hooks import Hook
from ingest.models import LanguageModel
from ingest.recipe import Recipe, read_recipe
from ingest.subject import open_model_and_dictionaries
from ingest.weights import dictionary_folders, weights_hash
from ingest.work import parameters
from store.bundle import Bundle, open_bundle
from store.errors import BundleError

DEMO = Path(__file__).parents[2] / "demo"
CONTEXTS = 4
ANEW = "run `make features`, and commit demo/features"

World = tuple[Recipe, LanguageModel, dict[Hook, Dictionary], Corpus]


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    try:
        bundle = open_bundle(DEMO / "features")
        bundle.validate()
    except BundleError as error:
        pytest.fail(f"{error}: {ANEW}")
    return bundle


@pytest.fixture(scope="module")
def features(shipped: Bundle) -> dict[str, dict[str, Any]]:
    return {row["uid"]: row for row in shipped.table("Feature").to_pylist()}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    recipe = read_recipe(DEMO / "features.toml")
    model, dictionaries = open_model_and_dictionaries(recipe, "features.toml", "cpu")
    assert recipe.corpus is not None
    yield recipe, model, dictionaries, open_corpus(recipe.corpus.file, recipe.corpus.contexts, model)
    torch.set_num_threads(threads)


def test_it_describes_every_feature_of_the_bundled_dictionaries(shipped: Bundle) -> None:
    hashes = {row["hook"]: row["sha256"] for row in shipped.table("Dictionary").to_pylist()}
    folders = dictionary_folders(DEMO / "smollm2-135m-instruct-res-4k")
    assert hashes == {folder.name: weights_hash(folder / "sae_weights.safetensors") for folder in folders}, ANEW
    uids = [f"smollm2-135m-instruct:{folder.name}:{index}" for folder in folders for index in range(4096)]
    assert sorted(shipped.table("Feature")["uid"].to_pylist()) == sorted(uids)
    for column in ("label", "top_tokens", "bottom_tokens", "density", "max_activation"):
        assert shipped.table("Feature")[column].null_count == 0


def test_its_recipe_made_it(shipped: Bundle) -> None:
    (run,) = shipped.table("Run").to_pylist()
    assert (run["command"], run["params"]) == ("features", parameters(read_recipe(DEMO / "features.toml"))), ANEW


def test_it_is_small_enough_to_be_shipped(shipped: Bundle) -> None:
    assert sum(file.stat().st_size for file in shipped.path.iterdir()) <= 6_000_000


def test_the_recipe_gives_the_same_tokens(features: dict[str, dict[str, Any]], world: World) -> None:
    _, model, dictionaries, _ = world
    for hook, dictionary in dictionaries.items():
        indices = torch.randperm(4096, generator=torch.Generator().manual_seed(hook.layer))[:8]
        for index, tokens in zip(indices.tolist(), promoted_tokens(model, dictionary.W_dec[indices]), strict=True):
            row = features[f"smollm2-135m-instruct:{hook.name}:{index}"]
            assert (row["top_tokens"], row["bottom_tokens"]) == tokens, ANEW


def test_the_recipe_gives_the_same_activations(features: dict[str, dict[str, Any]], world: World) -> None:
    """Of the features that are strongest in a few contexts; none may be stronger there than in the whole corpus."""
    recipe, model, dictionaries, corpus = world
    assert recipe.corpus is not None
    ((_, values),) = hook_values(model, corpus.tokens[:CONTEXTS], list(dictionaries), CONTEXTS)
    counted = ordinary(values, recipe.corpus.max_norm)
    strongest = 0
    for hook, dictionary in dictionaries.items():
        found: Activity = seen(dictionary.encode(values[hook]), counted, 0, 1)
        for index, (value, context, position) in enumerate(
            zip(found.values[:, 0].tolist(), found.contexts[:, 0].tolist(), found.positions[:, 0].tolist(), strict=True)
        ):
            row = features[f"smollm2-135m-instruct:{hook.name}:{index}"]
            assert value <= row["max_activation"] * 1.001 + 1e-3
            assert int(found.active[index]) <= row["density"] * corpus.n_tokens * 1.01 + 2
            if value and value == pytest.approx(row["max_activation"], rel=1e-3):
                strongest += 1
                marked = row["examples"][0].partition("«")[2].partition("»")[0]
                assert marked.strip() in model.tokenizer.decode(corpus.tokens[context].tolist())
                token = model.tokenizer.decode([int(corpus.tokens[context, position])]).strip()
                assert marked.strip() == token or "\ufffd" in token
    assert strongest > 40
