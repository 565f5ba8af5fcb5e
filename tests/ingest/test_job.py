"""A recipe from its file to its bundle, with all that can be wrong with it."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from ingest.ablation import Intervention, measure
from ingest.gradients import Metric, along_hooks, along_inputs, gradients_at, hook_values
from ingest.hooks import EMBEDDING
from ingest.job import run_recipe
from ingest.nodes import Slopes, mean_effects, rank
from ingest.recipe import read_recipe
from ingest.subject import open_subject
from ingest.work import Work, fingerprint
from store.bundle import Bundle, open_bundle
from store.errors import CircuitstoreError, ModelError, RecipeError, UsageError
from tests.ingest.tiny import random_sae, save_dictionaries, save_model, save_recipe


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Bundle]:
    """A recipe, and the bundle that it gives."""
    folder = tmp_path_factory.mktemp("recipe")
    recipe = save_recipe(folder)
    (bundle,) = run_recipe(recipe, folder / "out")
    return recipe, open_bundle(bundle)


def test_a_recipe_gives_the_circuit_of_its_task_and_one_of_each_pair(made: tuple[Path, Bundle]) -> None:
    circuits = made[1].table("Circuit").to_pylist()
    assert [c["aggregation"] for c in circuits].count("task") == 1
    assert [c["aggregation"] for c in circuits].count("prompt") == made[1].table("Task").to_pylist()[0]["n_pairs"]
    kinds = set(made[1].table("CircuitNode")["kind"].to_pylist())
    assert kinds == {"feature", "error", "token", "metric"}
    assert made[1].table("ATTRIBUTES_TO").num_rows > 0


def test_the_task_circuit_is_the_mean_of_the_prompt_circuits(made: tuple[Path, Bundle]) -> None:
    circuits = {c["uid"]: c for c in made[1].table("Circuit").to_pylist()}
    mean = np.mean([c["clean_metric"] for c in circuits.values() if c["aggregation"] == "prompt"])
    (task,) = (c for c in circuits.values() if c["aggregation"] == "task")
    assert task["clean_metric"] == pytest.approx(mean, rel=1e-5)


def test_every_measurement_stands_beside_random_circuits_of_its_size(made: tuple[Path, Bundle]) -> None:
    measured = made[1].table("Ablation").to_pylist()
    for errors in ("kept", "ablated"):
        for kind in ("faithfulness", "completeness", "random"):
            sizes = {m["n_nodes"] for m in measured if m["kind"] == kind and m["errors"] == errors}
            assert sizes - {0} == {2, 6, 12}  # those of the recipe, and the circuit's own
    (own,) = (m for m in measured if (m["kind"], m["errors"], m["n_nodes"]) == ("faithfulness", "ablated", 12))
    (task,) = (c for c in made[1].table("Circuit").to_pylist() if c["aggregation"] == "task")
    assert task["faithfulness"] == own["faithfulness"]
    assert all(m["split"] == "held-out" and m["baseline"] == "mean" for m in measured)
    nothing = [m for m in measured if m["n_nodes"] == 0]
    assert {m["faithfulness"] for m in nothing if m["kind"] == "faithfulness"} == {0.0}
    (carried,) = (m for m in nothing if m["kind"] == "completeness")  # every feature kept, error terms ablated
    assert carried["errors"] == "ablated"
    assert carried["faithfulness"] not in (0.0, 1.0, None)


def test_the_strongest_and_some_others_are_observed_in_the_task_and_in_the_pairs_that_were_run(tmp_path: Path) -> None:
    recipe = save_recipe(tmp_path, evidence="nodes = 3\nedges = 4\nsample = 5\npairs = 2")
    (path,) = run_recipe(recipe, tmp_path / "out")
    bundle = open_bundle(path)
    circuits = bundle.table("Circuit").to_pylist()
    (task,) = (c["uid"] for c in circuits if c["aggregation"] == "task")
    prompts = [c["uid"] for c in circuits if c["aggregation"] == "prompt"]

    def strongest_first(circuit: str, table: str, uid: str, predicted: str) -> list[dict[str, Any]]:
        rows = [row for row in bundle.table(table).to_pylist() if row[uid].startswith(f"{circuit}:")]
        return sorted(rows, key=lambda row: -abs(row[predicted] or 0))

    for columns, observed, strongest in (
        (("ATTRIBUTES_TO", "source", "weight"), "observed", 4),
        (("CircuitNode", "uid", "effect"), "observed_effect", 3),
    ):
        rows = strongest_first(task, *columns)
        assert all(row[observed] is not None for row in rows[:strongest])
        assert sum(row[observed] is not None for row in rows) == strongest + 5
        seen = [any(row[observed] is not None for row in strongest_first(uid, *columns)) for uid in prompts]
        assert seen.count(True) == 2
    (path,) = run_recipe(save_recipe(tmp_path, evidence="nodes = 0\nedges = 0\nsample = 0"), tmp_path / "none")
    edges = open_bundle(path).table("ATTRIBUTES_TO")
    assert edges["observed"].null_count == edges.num_rows > 0


def test_the_areas_under_the_curve_are_those_of_its_points(tmp_path: Path) -> None:
    said = "sizes = [2]\nrandom_circuits = 0\nshares = [0.1, 0.5, 1.0]"
    (path,) = run_recipe(save_recipe(tmp_path, faithfulness=said), tmp_path / "out")
    bundle = open_bundle(path)
    curve = {
        row["n_nodes"]: row["faithfulness"]
        for row in bundle.table("Ablation").to_pylist()
        if (row["kind"], row["errors"]) == ("faithfulness", "kept")
    }
    every = max(curve)
    points = [curve[0], *(curve[round(share * every)] for share in (0.1, 0.5, 1.0))]
    (task,) = (row for row in bundle.table("Circuit").to_pylist() if row["aggregation"] == "task")
    assert task["cpr"] == pytest.approx(np.trapezoid(points, [0, 0.1, 0.5, 1]))
    assert task["cmd"] == pytest.approx(np.trapezoid([abs(1 - f) for f in points], [0, 0.1, 0.5, 1]))


def test_held_out_pairs_are_not_those_of_the_circuit(made: tuple[Path, Bundle]) -> None:
    subject = open_subject(read_recipe(made[0]), "tiny.toml", "cpu")
    train, held_out = ({pair.clean_prefix for pair in part.pairs} for part in (subject.train, subject.held_out))
    assert train == set(made[1].table("Prompt")["text"].to_pylist())
    assert held_out
    assert not train & held_out


@pytest.mark.parametrize("method", ["attribution-patching", "ig-inputs", "ig-dictionary", "share-weighted"])
def test_what_stands_in_the_bundle_is_what_its_parts_compute(
    method: Literal["attribution-patching", "ig-inputs", "ig-dictionary", "share-weighted"], tmp_path: Path
) -> None:
    recipe = save_recipe(
        tmp_path,
        nodes=f'method = "{method}"\nsteps = 3',
        pruning="top_nodes = 12\nnode_threshold = 0.0",
        prompts="circuits = false",
    )
    (path,) = run_recipe(recipe, tmp_path / "out")
    subject = open_subject(read_recipe(recipe), "tiny.toml", "cpu")
    model, hooks = subject.model, [EMBEDDING, *subject.hooks]
    train, held_out = (
        (part, Metric(part.clean_answers, part.patch_answers)) for part in (subject.train, subject.held_out)
    )
    clean, m_clean = hook_values(model, train[0].clean_tokens, hooks, train[1])
    patch, m_patch = hook_values(model, train[0].patch_tokens, hooks, train[1])
    by = {
        "attribution-patching": lambda: gradients_at(model, 0, clean[EMBEDDING], hooks, train[1])[0],
        "ig-inputs": lambda: along_inputs(model, clean, patch, hooks, train[1], 3),
        "ig-dictionary": lambda: along_hooks(model, clean, patch, hooks, train[1], 3),
        "share-weighted": lambda: along_hooks(model, clean, patch, hooks, train[1], 3),
    }[method]()
    slopes = {hook: Slopes(gradient) for hook, gradient in by.items()}
    if method == "share-weighted":
        at_clean, _ = gradients_at(model, 0, clean[EMBEDDING], hooks, train[1])
        slopes = {hook: Slopes(gradient, at_clean[hook], m_patch - m_clean) for hook, gradient in by.items()}
    effects, means = {}, {}
    for hook, dictionary in subject.dictionaries.items():
        features, errors, means[hook] = mean_effects(dictionary, slopes[hook], clean, patch, 99)
        effects[hook] = (features, errors)
    strongest = [node for node in rank(effects, 1, 12).nodes if node.kind == "feature"][:12]
    wanted = {
        (n.hook.layer, n.position, n.index): float(effects[n.hook][0][n.position, n.index]) for n in strongest if n.hook
    }
    bundle = open_bundle(path)
    found = {
        (row["layer"], row["position"], row["index"]): row["effect"]
        for row in bundle.table("CircuitNode").to_pylist()
        if row["kind"] == "feature"
    }
    assert found == pytest.approx(wanted, rel=1e-3, abs=1e-5)
    for row in bundle.table("Ablation").to_pylist():
        if row["kind"] == "faithfulness":
            one = Intervention("faithfulness", strongest[: row["n_nodes"]], row["errors"])
            arguments = (model, subject.dictionaries, means, held_out[0].clean_tokens, held_out[1])
            assert row["metric"] == pytest.approx(float(measure(*arguments, [one], 1).mean()), rel=1e-3, abs=1e-4)


def test_the_same_recipe_is_not_computed_twice_and_the_same_seed_gives_the_same_bundle(
    made: tuple[Path, Bundle], tmp_path: Path
) -> None:
    recipe, bundle = made
    written = (bundle.path / "manifest.json").stat().st_mtime_ns
    assert run_recipe(recipe, recipe.parent / "out") == [bundle.path]
    assert (bundle.path / "manifest.json").stat().st_mtime_ns == written
    (again,) = run_recipe(recipe, tmp_path)
    assert open_bundle(again).uid == bundle.uid


def test_the_revision_of_the_program_is_told_and_is_no_part_of_the_hash(
    made: tuple[Path, Bundle], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.job.git_revision", lambda: "0123abc-dirty")
    (path,) = run_recipe(made[0], tmp_path)
    assert open_bundle(path).table("Run")["git_revision"].to_pylist() == ["0123abc-dirty"]
    assert open_bundle(path).uid == made[1].uid


def test_what_only_shows_results_changes_no_fingerprint_and_every_other_module_does(
    made: tuple[Path, Bundle], monkeypatch: pytest.MonkeyPatch
) -> None:
    import ingest.work

    root = Path(ingest.work.__file__).parent
    shows = {"dashboard.py", "figures.py", "revision.py", "sqlite.py", "tracking.py", "tuning/front.py"}
    of_file, recipe = ingest.work._hash_of, read_recipe(made[0])
    hashed: list[Path] = []

    def noted(file: Path) -> str:
        hashed.append(file)
        return of_file(file)

    monkeypatch.setattr("ingest.work._hash_of", noted)
    fingerprint(recipe)
    seen = {file.relative_to(root).as_posix() for file in hashed if file.suffix == ".py"}
    every = {file.relative_to(root).as_posix() for file in root.rglob("*.py")}
    assert shows < every
    assert every - seen == shows | {name for name in every if name.startswith(("plots/", "formats/"))}
    before = fingerprint(recipe)
    for name, changes in (("nodes.py", True), ("tuning/front.py", False)):
        monkeypatch.setattr("ingest.work._hash_of", lambda file, of=root / name: of_file(file) + "x" * (file == of))
        assert (fingerprint(recipe) != before) == changes


def test_a_run_says_where_its_dictionaries_came_from(made: tuple[Path, Bundle]) -> None:
    (run,) = made[1].table("Run").to_pylist()
    assert json.loads(run["params"])["dictionaries"]["folder"] == "dictionaries"


def test_little_memory_gives_nearly_the_same_circuit(made: tuple[Path, Bundle], tmp_path: Path) -> None:
    recipe, bundle = made
    (path,) = run_recipe(recipe, tmp_path, memory=300_000)
    rows = json.loads(next(tmp_path.glob(".work/*/")).joinpath("done.json").read_text())
    assert rows["bundle"] == path.name
    small = open_bundle(path)
    assert small.table("Circuit").num_rows == bundle.table("Circuit").num_rows
    for table, column in (("CircuitNode", "effect"), ("ATTRIBUTES_TO", "weight")):
        ours, theirs = (
            np.sort(np.array([v or 0 for v in b.table(table)[column].to_pylist()])) for b in (small, bundle)
        )
        np.testing.assert_allclose(ours, theirs, rtol=1e-2, atol=1e-4)


@pytest.mark.parametrize("method", ["attribution-patching", "ig-inputs"])
def test_every_node_method_gives_a_circuit(made: tuple[Path, Bundle], tmp_path: Path, method: str) -> None:
    recipe = save_recipe(tmp_path, nodes=f'method = "{method}"\nsteps = 2', edges='formula = "reference"')
    (path,) = run_recipe(recipe, tmp_path / "out")
    (circuit,) = (c for c in open_bundle(path).table("Circuit").to_pylist() if c["aggregation"] == "task")
    assert circuit["method"] == f"{method}, reference edges"


def test_bfloat16_and_other_architectures_give_a_circuit(tmp_path: Path) -> None:
    recipe = save_recipe(tmp_path, model='source = "./model"\ndtype = "bfloat16"\nstart_token = "<s>"')
    save_dictionaries(tmp_path / "dictionaries", "gated", (0, 2))
    save_dictionaries(tmp_path / "dictionaries", "topk", (1,))
    (path,) = run_recipe(recipe, tmp_path / "out")
    assert set(open_bundle(path).table("Dictionary")["architecture"].to_pylist()) == {"gated", "topk"}


def test_dictionaries_of_all_sites_of_one_block_give_one_circuit(tmp_path: Path) -> None:
    recipe = save_recipe(tmp_path, pruning="top_nodes = 60\nnode_threshold = 0.0\nedge_threshold = 0.0")
    shutil.rmtree(tmp_path / "dictionaries")
    shutil.rmtree(tmp_path / "model")
    save_model(tmp_path / "model", "gpt2")
    hooks = ["blocks.1.hook_attn_out", "blocks.1.hook_mlp_out", "blocks.1.hook_resid_post"]
    for n, hook in enumerate(hooks):
        random_sae("standard", hook, seed=n).save_model(tmp_path / "dictionaries" / hook)
    (path,) = run_recipe(recipe, tmp_path / "out")
    bundle = open_bundle(path)
    assert sorted(bundle.table("Dictionary")["site"].to_pylist()) == ["attn", "mlp", "resid"]
    task = next(c["uid"] for c in bundle.table("Circuit").to_pylist() if c["aggregation"] == "task")
    dictionary_of = {row["source"]: row["target"] for row in bundle.table("IN_DICTIONARY").to_pylist()}
    hook_of = {
        row["source"]: dictionary_of[row["target"]].rsplit(":", 1)[-1]
        for row in bundle.table("INSTANCE_OF").to_pylist()
    }
    # A node acts on what the forward pass meets later: attention on the MLP and on the stream, the MLP on the stream.
    met = {
        (hook_of[edge["source"]], hook_of[edge["target"]])
        for edge in bundle.table("ATTRIBUTES_TO").to_pylist()
        if edge["source"].startswith(f"{task}:") and edge["source"] in hook_of and edge["target"] in hook_of
    }
    assert met == {(hooks[0], hooks[1]), (hooks[0], hooks[2]), (hooks[1], hooks[2])}


def test_a_dictionary_before_a_block_stands_where_the_one_behind_the_last_block_would(tmp_path: Path) -> None:
    results = []
    for name in ("blocks.1.hook_resid_post", "blocks.2.hook_resid_pre"):
        folder = tmp_path / name
        folder.mkdir()
        recipe = save_recipe(folder)
        shutil.rmtree(folder / "dictionaries")
        random_sae("jumprelu", name, seed=1).save_model(folder / "dictionaries" / "one")
        (path,) = run_recipe(recipe, folder / "out")
        results.append({row["uid"] for row in open_bundle(path).table("Circuit").to_pylist()})
    assert results[0] == results[1]


def test_what_is_not_asked_for_may_be_unusable(tmp_path: Path) -> None:
    hooks = '["blocks.0.hook_resid_post", "blocks.1.hook_resid_post"]'
    recipe = save_recipe(tmp_path, dictionaries=f'folder = "dictionaries"\nhooks = {hooks}')
    random_sae("jumprelu", "blocks.1.attn.hook_z").save_model(tmp_path / "dictionaries" / "other")
    (path,) = run_recipe(recipe, tmp_path / "out")
    assert open_bundle(path).table("Dictionary")["layer"].to_pylist() == [0, 1]


def test_a_recipe_gives_the_same_bundle_wherever_its_files_lie(made: tuple[Path, Bundle], tmp_path: Path) -> None:
    shutil.copytree(made[0].parent, tmp_path / "moved", ignore=shutil.ignore_patterns("out"))
    (path,) = run_recipe(tmp_path / "moved" / "tiny.toml", tmp_path / "out")
    assert open_bundle(path).uid == made[1].uid


def test_two_processes_do_not_compute_one_recipe_at_once(tmp_path: Path) -> None:
    recipe = save_recipe(tmp_path)
    with (
        Work(tmp_path / "out", "tiny", fingerprint(read_recipe(recipe))).locked(),
        pytest.raises(CircuitstoreError, match="another process is computing this recipe"),
    ):
        run_recipe(recipe, tmp_path / "out")
    assert run_recipe(recipe, tmp_path / "out")


class Interrupted(Exception):
    """What stops an ingest after its next stage."""


def test_an_ingest_stopped_after_each_of_its_stages_ends_in_the_same_bundle(
    made: tuple[Path, Bundle], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, bundle = made
    aside = Work._aside

    def write_and_stop(self: Work, file: Path, write: Callable[[Path], object]) -> None:
        aside(self, file, write)
        if file.suffix == ".safetensors":
            raise Interrupted

    stopped = 0
    with monkeypatch.context() as patch:
        patch.setattr(Work, "_aside", write_and_stop)
        while True:
            try:
                (path,) = run_recipe(recipe, tmp_path)
            except Interrupted:
                stopped += 1
            else:
                break
    assert stopped > 8
    assert open_bundle(path).uid == bundle.uid


def test_killed_at_any_point_an_ingest_goes_on_to_the_same_bundle(tmp_path: Path) -> None:
    recipe = save_recipe(tmp_path)
    command = [sys.executable, "-m", "tests.ingest.killing", str(recipe), str(tmp_path / "kills"), "10", "0"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("10 kills")


# Bad input: one message that names the input and the remedy, and nothing written.


def _with_nan(folder: Path) -> None:
    sae = random_sae("jumprelu", "blocks.1.hook_resid_post")
    sae.W_enc.data[0, 0] = float("nan")
    sae.save_model(folder / "dictionaries" / "blocks.1.hook_resid_post")


def _too_wide(folder: Path) -> None:
    random_sae("jumprelu", "blocks.1.hook_resid_post", d_in=8).save_model(
        folder / "dictionaries" / "blocks.1.hook_resid_post"
    )


def _twice(folder: Path) -> None:
    random_sae("topk", "blocks.2.hook_resid_pre").save_model(folder / "dictionaries" / "other")


def _seed(folder: Path) -> None:
    recipe = folder / "tiny.toml"
    recipe.write_text(f"seed = {2**70}\n" + recipe.read_text().replace("[seed]\n", ""))


def _spoilt_model(folder: Path) -> None:
    (file,) = (folder / "model").glob("*.safetensors")
    weights = load_file(file)
    weights["model.norm.weight"][3] = float("nan")
    save_file(weights, file, {"format": "pt"})


def _cut_model(folder: Path) -> None:
    (file,) = (folder / "model").glob("*.safetensors")
    file.write_bytes(file.read_bytes()[:-1000])


def _no_hook(folder: Path) -> None:
    config = folder / "dictionaries" / "blocks.1.hook_resid_post" / "cfg.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"metadata": ["hook_name"], "hook_name": 3}))


def _pairs(*lines: str) -> Callable[[Path], object]:
    return lambda folder: (folder / "pairs.jsonl").write_text("\n".join(lines))


_PAIR = '{{"clean_prefix": "the key", "patch_prefix": "{}", "clean_answer": "{}", "patch_answer": " are"}}'

BAD: dict[str, tuple[dict[str, str], Callable[[Path], object] | None, type[CircuitstoreError], str]] = {
    "an unknown key": (
        {"nodes": 'metod = "ig-inputs"'},
        None,
        RecipeError,
        "nodes.metod: unknown key; did you mean 'method'",
    ),
    "a seed that no generator takes": ({"seed": ""}, _seed, RecipeError, "seed: must be less than 4294967296"),
    "a model with NaN": ({}, _spoilt_model, ModelError, "gives logits that are not finite"),
    "a model cut short": ({}, _cut_model, ModelError, "could not be opened"),
    "a package that is not there": (
        {"model": 'source = "package:no.such/x.gguf"'},
        None,
        ModelError,
        "which is not installed",
    ),
    "a dictionary that names no hook": ({}, _no_hook, ModelError, "does not say which hook"),
    "an unknown method": (
        {"nodes": 'method = "magic"'},
        None,
        RecipeError,
        "nodes.method: must be 'share-weighted', 'attribution-patching'",
    ),
    "text for a number": (
        {"nodes": "steps = 'four'"},
        None,
        RecipeError,
        "tiny.toml: nodes.steps: must be a whole number (it is 'four')",
    ),
    "a broken number": ({"nodes": "steps = 1.5"}, None, RecipeError, "nodes.steps: must be a whole number (it is 1.5)"),
    "a number for text": ({"nodes": "method = 3"}, None, RecipeError, "nodes.method: must be 'share-weighted'"),
    "a number for a path": ({"task": "file = 3"}, None, RecipeError, "task.file: must be a path in quotes (it is 3)"),
    "a number for a name": (
        {"model": "source = 3"},
        None,
        RecipeError,
        "model.source: must be text in quotes (it is 3)",
    ),
    "a number for a list": (
        {"faithfulness": "sizes = 3"},
        None,
        RecipeError,
        "faithfulness.sizes: must be a list in brackets (it is 3)",
    ),
    "no truth": ({"prompts": "circuits = 'maybe'"}, None, RecipeError, "prompts.circuits: must be true or false"),
    "a share above one": (
        {"pruning": "edge_influence = 2"},
        None,
        RecipeError,
        "pruning.edge_influence: must be at most 1.0 (it is 2)",
    ),
    "an unknown key in a list of sections": (
        {"ablations": "prunings = [{top_nods = 3}]"},
        None,
        RecipeError,
        "ablations.prunings.0.top_nods: unknown key; did you mean 'top_nodes'?",
    ),
    "a missing section": ({"model": ""}, None, RecipeError, "model.source: is missing"),
    "two tasks": ({"task": 'file = "a"\ngenerator = "b"'}, None, RecipeError, "task: give either generator or file"),
    "an unknown task": ({"task": 'generator = "agrement"'}, None, RecipeError, "did you mean agreement"),
    "a missing file": ({"task": 'file = "nothing.jsonl"'}, None, ModelError, "nothing.jsonl"),
    "no dictionaries": ({"dictionaries": 'folder = "nowhere"'}, None, ModelError, "no such folder"),
    "no model": ({"model": 'source = "./nowhere"'}, None, ModelError, "name a folder"),
    "a hook that the model lacks": (
        {"dictionaries": 'folder = "dictionaries"\nhooks = ["blocks.31.hook_resid_post"]'},
        None,
        RecipeError,
        'dictionaries.hooks: the model has no hook "blocks.31.hook_resid_post" (it has 4 blocks, 0 to 3)',
    ),
    "a hook without a dictionary": (
        {"dictionaries": 'folder = "dictionaries"\nhooks = ["blocks.3.hook_resid_post"]'},
        None,
        RecipeError,
        "there is no dictionary for 'blocks.3.hook_resid_post'; there are: blocks.0",
    ),
    "a dictionary of another width": ({}, _too_wide, ModelError, "is 8 wide, but the model tiny has d_model 24"),
    "two dictionaries at one place": (
        {},
        _twice,
        RecipeError,
        "'blocks.1.hook_resid_post' (blocks.1.hook_resid_post) and 'other' (blocks.1.hook_resid_post)",
    ),
    "NaN in a dictionary": ({}, _with_nan, ModelError, "W_enc has values that are not finite"),
    "a start token that is none": (
        {"model": 'source = "./model"\nstart_token = "<begin>"'},
        None,
        RecipeError,
        "model.start_token: '<begin>' is no token",
    ),
    "an answer of two tokens": (
        {},
        _pairs(_PAIR.format("the cab", " is one")),
        ModelError,
        "an answer is not one token",
    ),
    "nothing that aligns": (
        {},
        _pairs(_PAIR.format("the cab near", " is")),
        ModelError,
        "differ in their number of tokens",
    ),
    "pairs that are no JSON": ({}, _pairs("clean,patch"), ModelError, "pairs.jsonl:1: not JSON"),
    "a field that is missing": ({}, _pairs('{"clean_prefix": "the key"}'), ModelError, '"patch_prefix" is missing'),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_message_and_leaves_nothing(case: str, tmp_path: Path) -> None:
    changes, spoil, kind, message = BAD[case]
    recipe = save_recipe(tmp_path, **changes)
    if spoil:
        spoil(tmp_path)
    with pytest.raises(kind) as raised:
        run_recipe(recipe, tmp_path / "out")
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("device", ["meta", "gpu", "cuda:x", "cuda:99"])
def test_a_device_that_is_not_there_is_refused(device: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"--device: .*{device}"):
        run_recipe(save_recipe(tmp_path), tmp_path / "out", device=device)
    assert not (tmp_path / "out").exists()


def test_a_recipe_that_is_not_there_or_not_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no such recipe"):
        run_recipe(tmp_path / "none.toml", tmp_path / "out")
    (tmp_path / "bad.toml").write_text("[model\n")
    with pytest.raises(RecipeError, match="is not TOML"):
        run_recipe(tmp_path / "bad.toml", tmp_path / "out")
