"""What features are, over a corpus: against a plain pass that keeps every activation."""

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sae_lens import SAE

from ingest.analyses.features import activity
from ingest.corpus import hook_values, ordinary
from ingest.description import promoted_ids, promoted_tokens
from ingest.hooks import parse_hook
from ingest.job import run_analysis, run_recipe
from ingest.models import LanguageModel, open_model
from ingest.work import Work
from store.bundle import Bundle, open_bundle
from store.database import open_store
from store.errors import CircuitstoreError, ModelError, RecipeError
from tests.ingest.tiny import N_LAYERS, WORDS, random_sae, save_recipe

Array = np.ndarray[Any, Any]
EXAMPLES = 3


def corpus(contexts: int = 14, positions: int = 11, seed: int = 0) -> Array:
    """Random tokens behind a start token; the last two contexts are alike, so that some texts occur twice."""
    tokens = np.random.default_rng(seed).integers(2, len(WORDS), (contexts, positions))
    tokens[:, 0] = 0
    tokens[-1] = tokens[-2]
    return tokens.astype(np.uint16)


def save(folder: Path, **changes: str) -> Path:
    """A tiny recipe that asks for features; one feature of the first dictionary never fires."""
    sections = {"corpus": 'file = "corpus.npy"', "features": f"examples = {EXAMPLES}\nbefore = 4\nafter = 2"}
    recipe = save_recipe(folder, **{**sections, **changes})
    np.save(folder / "corpus.npy", corpus())
    silent = random_sae("jumprelu", "blocks.0.hook_resid_post", seed=0)
    silent.threshold.data[7] = 1e6
    silent.save_model(folder / "dictionaries" / "blocks.0.hook_resid_post")
    return recipe


def made_of(recipe: Path, out: Path, memory: int | None = None) -> Bundle:
    with closing(open_store(f"ladybug:{out.parent / 'asked.lbug'}")) as store:
        return open_bundle(run_analysis("features", recipe, store, out, memory))


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("features"))


@pytest.fixture(scope="module")
def made(recipe: Path) -> Bundle:
    return made_of(recipe, recipe.parent / "out")


def plainly(recipe: Path) -> dict[str, Array]:
    """Every activation, [contexts, pos − 1, features], by dictionary: one context at a time, SAELens encoding."""
    model = open_model(str(recipe.parent / "model"))
    found = {}
    for folder in sorted((recipe.parent / "dictionaries").iterdir()):
        sae = SAE.load_from_disk(folder, dtype="float32")
        layer = parse_hook(folder.name, N_LAYERS).layer
        rows = []
        for context in corpus():
            tokens = torch.from_numpy(context[None].astype(np.int64))
            x = model.run(model.embed(tokens), 0, layer + 1)
            rows.append(sae.encode(x)[0, 1:].detach().numpy())
        found[folder.name] = np.stack(rows)
    return found


def test_density_and_largest_activation_are_those_of_a_plain_pass(recipe: Path, made: Bundle) -> None:
    features = {row["uid"]: row for row in made.table("Feature").to_pylist()}
    whole = plainly(recipe)
    assert len(features) == sum(f.shape[2] for f in whole.values())
    for hook, f in whole.items():
        for index in range(f.shape[2]):
            row = features[f"tiny:{hook}:{index}"]
            assert row["density"] == (f[..., index] > 0).mean()
            assert row["max_activation"] == pytest.approx(max(f[..., index].max(), 0), rel=1e-4)
    assert len({row["density"] for row in features.values()}) > 20


def test_examples_are_the_strongest_contexts_each_text_once_and_the_token_marked(recipe: Path, made: Bundle) -> None:
    features = {row["uid"]: row for row in made.table("Feature").to_pylist()}
    tokens = corpus()
    for hook, f in plainly(recipe).items():
        for index in range(f.shape[2]):
            best = f[..., index].max(1)
            wanted: dict[str, float] = {}
            for c in np.argsort(-best, kind="stable"):
                if best[c] > 0:
                    p = int(f[c, :, index].argmax()) + 1
                    words = [f"«{WORDS[t]}»" if n == p else WORDS[t] for n, t in enumerate(tokens[c])]
                    wanted.setdefault(" ".join(words[max(1, p - 4) : p + 3]), best[c])
            shown = [example.split("] ", 1) for example in features[f"tiny:{hook}:{index}"]["examples"] or []]
            assert [" ".join(text.split()) for _, text in shown] == list(wanted)[:EXAMPLES]
            values = [float(value[1:]) for value, _ in shown]
            assert values == pytest.approx(list(wanted.values())[:EXAMPLES], rel=6e-3)


def test_a_feature_that_never_fires_has_no_examples(made: Bundle) -> None:
    row = next(r for r in made.table("Feature").to_pylist() if r["uid"] == "tiny:blocks.0.hook_resid_post:7")
    assert (row["density"], row["max_activation"], row["examples"]) == (0.0, 0.0, None)
    assert row["label"].startswith("never active, promotes ")


def test_no_example_marks_or_shows_a_start_token(made: Bundle) -> None:
    texts = [text for row in made.table("Feature").to_pylist() for text in row["examples"] or []]
    assert texts
    assert not [text for text in texts if "<s>" in text]


def test_batches_of_one_context_give_the_same(recipe: Path, made: Bundle, tmp_path: Path) -> None:
    small = made_of(recipe, tmp_path / "out", memory=1).table("Feature").to_pylist()
    whole = made.table("Feature").to_pylist()
    for a, b in zip(small, whole, strict=True):
        assert a.pop("max_activation") == pytest.approx(b.pop("max_activation"), rel=1e-5)
        assert a == b


def test_attention_sinks_are_left_out_at_every_hook() -> None:
    hooks = [parse_hook(f"blocks.{layer}.hook_resid_post", N_LAYERS) for layer in (0, 1)]
    values = {hook: torch.ones(2, 5, 3) for hook in hooks}
    values[hooks[0]][0, 1] *= 11
    values[hooks[1]][1, 3] *= 9
    assert (~ordinary(values, 10)).nonzero().tolist() == [[0, 1]]
    assert (~ordinary(values, 8)).nonzero().tolist() == [[0, 1], [1, 3]]


def test_what_is_left_out_counts_for_nothing(recipe: Path, made: Bundle, tmp_path: Path) -> None:
    strict = tmp_path / "strict.toml"
    strict.write_text(recipe.read_text().replace('"corpus.npy"', '"corpus.npy"\nmax_norm = 1.1'))
    for name in ("model", "dictionaries", "pairs.jsonl", "corpus.npy"):
        (tmp_path / name).symlink_to(recipe.parent / name)
    model = open_model(str(recipe.parent / "model"))
    tokens = torch.from_numpy(corpus().astype(np.int64))
    kept = np.ones((len(tokens), tokens.shape[1] - 1), bool)
    for layer in range(3):
        norms = model.run(model.embed(tokens), 0, layer + 1)[:, 1:].norm(dim=-1).numpy()
        middle = np.sort(norms, axis=1)[:, (norms.shape[1] - 1) // 2 : (norms.shape[1] + 1) // 2]
        kept &= norms <= 1.1 * middle[:, :1]
    assert 0 < kept.sum() < kept.size
    features = {row["uid"]: row for row in made_of(strict, tmp_path / "out").table("Feature").to_pylist()}
    for hook, f in plainly(recipe).items():
        for index in range(f.shape[2]):
            row = features[f"tiny:{hook}:{index}"]
            assert row["density"] == pytest.approx((f[..., index][kept] > 0).mean(), abs=1e-12)
            assert row["max_activation"] == pytest.approx(max(f[..., index][kept].max(), 0), rel=1e-4)


class Interrupted(Exception):
    """What stops an analysis after its next stage."""


def test_stopped_after_each_stage_it_goes_on_to_the_same_bundle_and_reads_nothing_twice(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity, "_PART", 4)
    undisturbed = made_of(recipe, tmp_path / "undisturbed")
    aside, read = Work._aside, []

    def write_and_stop(self: Work, file: Path, write: Callable[[Path], object]) -> None:
        aside(self, file, write)
        if file.suffix == ".safetensors":
            raise Interrupted

    def count(model: LanguageModel, tokens: torch.Tensor, *rest: Any) -> Any:
        read.append(len(tokens))
        return hook_values(model, tokens, *rest)

    stopped = 0
    with monkeypatch.context() as patch:
        patch.setattr(Work, "_aside", write_and_stop)
        patch.setattr(activity, "hook_values", count)
        while True:
            try:
                bundle = made_of(recipe, tmp_path / "stopped")
            except Interrupted:
                stopped += 1
            else:
                break
    assert stopped == 4 + 3  # parts of the corpus, and dictionaries whose tokens are promoted
    assert read == [4, 4, 4, 2]
    assert bundle.uid == undisturbed.uid


def test_the_same_recipe_is_not_computed_twice(recipe: Path, made: Bundle) -> None:
    written = (made.path / "manifest.json").stat().st_mtime_ns
    assert made_of(recipe, recipe.parent / "out").path == made.path
    assert (made.path / "manifest.json").stat().st_mtime_ns == written


# What a decoder promotes.


def test_tokens_are_those_of_the_final_norm_and_the_unembedding(tiny: LanguageModel) -> None:
    rows = torch.randn(5, tiny.d_model, generator=torch.Generator().manual_seed(3))
    weight = tiny.bridge.ln_final.original_component.weight.double().numpy()
    x = rows.double().numpy()
    normed = x / np.sqrt((x**2).mean(1, keepdims=True) + 1e-6) * weight
    logits = normed @ tiny.bridge.unembed.original_component.weight.double().numpy().T
    for row, (promoted, suppressed) in zip(logits, promoted_tokens(tiny, rows, 4), strict=True):
        assert promoted == [WORDS[i] for i in np.argsort(-row)[:4]]
        assert suppressed == [WORDS[i] for i in np.argsort(row)[:4]]


def test_the_tokens_of_a_feature_do_not_depend_on_which_others_are_asked_for(tiny: LanguageModel) -> None:
    rows = torch.randn(200, tiny.d_model, generator=torch.Generator().manual_seed(4))
    whole = promoted_ids(tiny, rows)
    assert torch.equal(whole, torch.cat([promoted_ids(tiny, row[None]) for row in rows]))
    some = torch.randperm(200, generator=torch.Generator().manual_seed(5))[:77]
    assert torch.equal(whole[some], promoted_ids(tiny, rows[some]))


def test_of_tokens_promoted_alike_the_smaller_id_stands_first(tmp_path: Path) -> None:
    model = open_model(str(save_recipe(tmp_path).parent / "model"))
    weight = model.bridge.unembed.original_component.weight
    rows = torch.randn(3, model.d_model)
    weight[[20, 5, 11]] = 9 * rows[0]
    assert promoted_ids(model, rows)[0, 0, :3].tolist() == [5, 11, 20]


def test_circuits_and_features_agree_on_the_tokens_of_what_both_hold(recipe: Path, made: Bundle) -> None:
    (path,) = run_recipe(recipe, recipe.parent / "circuits")
    features = {row["uid"]: row for row in made.table("Feature").to_pylist()}
    shared = open_bundle(path).table("Feature").to_pylist()
    assert len(shared) > 5
    for row in shared:
        for column in ("top_tokens", "bottom_tokens", "layer", "index"):
            assert row[column] == features[row["uid"]][column]
    for table in ("Model", "Dictionary"):
        assert open_bundle(path).table(table).equals(made.table(table))


# Bad input: one message that names the input and the remedy, and nothing written.


def _write(array: Array) -> Callable[[Path], object]:
    return lambda file: np.save(file, array)


BAD: dict[str, tuple[dict[str, str], Callable[[Path], object] | None, type[CircuitstoreError], str]] = {
    "no corpus": ({"corpus": ""}, None, RecipeError, "corpus.file: is missing"),
    "no number": ({"features": "examples = 0"}, None, RecipeError, "features.examples: must be at least 1 (it is 0)"),
    "an unknown key": ({"features": "exampels = 3"}, None, RecipeError, "did you mean 'examples'"),
    "a corpus that is not there": ({}, lambda file: file.unlink(), ModelError, "corpus.npy"),
    "text for a corpus": ({}, lambda file: file.write_text("words"), ModelError, "is no NumPy file of token ids"),
    "numbers that are no ids": ({}, _write(np.zeros((3, 4))), ModelError, "a corpus is token ids of shape"),
    "ids of another model": ({}, _write(np.full((3, 4), 99)), ModelError, "token ids that tiny does not have"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_message_and_leaves_nothing(case: str, tmp_path: Path) -> None:
    changes, spoil, kind, message = BAD[case]
    recipe = save(tmp_path, **changes)
    if spoil:
        spoil(tmp_path / "corpus.npy")
    with pytest.raises(kind) as raised:
        made_of(recipe, tmp_path / "out")
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not list((tmp_path / "out").glob("[!.]*"))


def test_a_recipe_of_features_needs_a_corpus_and_one_without_features_says_so(tmp_path: Path) -> None:
    recipe = save(tmp_path)
    text = recipe.read_text()
    recipe.write_text(text.replace('[corpus]\nfile = "corpus.npy"', ""))
    with pytest.raises(RecipeError, match=r"tiny.toml: features: .* add a section \[corpus\]"):
        made_of(recipe, tmp_path / "out")
    recipe.write_text(text[: text.index("[features]")])
    with pytest.raises(RecipeError, match=r"has no section \[features\]"):
        made_of(recipe, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_command_needs_no_store_and_fills_one(tmp_path: Path) -> None:
    recipe = save(tmp_path)
    program = [sys.executable, str(Path(__file__).parents[2] / "circuitstore.py")]
    store = ["--store", f"ladybug:{tmp_path / 'new.lbug'}", "--format", "json"]

    def ask(*arguments: str) -> list[dict[str, Any]]:
        done = subprocess.run([*program, *arguments, *store], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        rows: list[dict[str, Any]] = json.loads(done.stdout)["rows"]
        return rows

    (row,) = ask("features", str(recipe), "--out", str(tmp_path / "out"))
    wanted = open_bundle(row["bundle"]).table("Feature").to_pylist()[3]
    (found,) = ask("query", "feature", f"feature={wanted['uid']}")
    assert {key: found[key] for key in wanted} == wanted
