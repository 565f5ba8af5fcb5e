"""What is tried, what is chosen, and that a study goes on where it was."""

import json
import shutil
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import optuna
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from optuna.trial import FrozenTrial, TrialState, create_trial

from ingest.job import run_analysis, run_recipe
from ingest.recipe import TuningSection, read_recipe
from ingest.tuning import Tuned, tune
from ingest.tuning.chosen import write_chosen
from ingest.tuning.front import chosen, front
from ingest.tuning.ledger import Ledger
from ingest.tuning.space import own_choices, suggested
from ingest.tuning.trial import passes_of
from store.bundle import open_bundle
from store.database import open_store
from store.errors import CircuitstoreError, ModelError, RecipeError, UsageError
from tests.ingest.tiny import save_pairs, save_recipe
from tests.ingest.tuning_kills import done, told, trials_of

TRIALS = 12


def world(folder: Path, tuning: str = "top_nodes = [5, 100]", **changes: str) -> Path:
    """A tiny world with enough held-out pairs to be sure of something."""
    folder.mkdir(parents=True, exist_ok=True)
    task = 'file = "pairs.jsonl"\npairs = 16\nheld_out = 16'
    recipe = save_recipe(folder, **{"task": task, "tuning": tuning} | changes)
    save_pairs(folder / "pairs.jsonl", 16)
    return recipe


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Tuned]:
    folder = tmp_path_factory.mktemp("tuned")
    recipe = world(folder)
    return recipe, tune(recipe, TRIALS, folder / "study.db")


def rows_of(tuned: Tuned) -> list[dict[str, Any]]:
    return [dict(zip(tuned.columns, row, strict=True)) for row in tuned.rows]


def task_circuit(recipe: Path, out: Path) -> dict[str, Any]:
    (bundle,) = run_recipe(recipe, out)
    (task,) = (c for c in open_bundle(bundle).table("Circuit").to_pylist() if c["aggregation"] == "task")
    return dict(task)


def recipe_of(trial: FrozenTrial, recipe: Path, file: Path) -> Path:
    write_chosen(suggested(optuna.trial.FixedTrial(trial.params), read_recipe(recipe)), recipe, file, "one")
    return file


def test_the_chosen_recipe_gives_the_figures_that_were_printed(tuned: tuple[Path, Tuned], tmp_path: Path) -> None:
    (row,) = (row for row in rows_of(tuned[1]) if row["chosen"])
    circuit = task_circuit(tuned[1].recipe, tmp_path)
    assert circuit["faithfulness"] == row["faithfulness"]
    assert abs(1 - circuit["faithfulness"]) == row["deviation"]
    assert (circuit["n_nodes"], circuit["n_edges"]) == (row["nodes"], row["edges"])


def test_every_trial_on_the_front_gives_its_figures_however_it_prunes(
    tuned: tuple[Path, Tuned], tmp_path: Path
) -> None:
    trials = {trial.number: trial for trial in trials_of(tuned[1].study.parent)}
    seen = set()
    for row in rows_of(tuned[1]):
        trial = trials[row["trial"]]
        seen.add(trial.params["pruning"])
        circuit = task_circuit(recipe_of(trial, tuned[0], tuned[0].parent / "one.toml"), tmp_path / str(trial.number))
        figures = [circuit[name] for name in ("faithfulness", "n_nodes", "n_edges")]
        assert figures == [row[name] for name in ("faithfulness", "nodes", "edges")]
    assert seen == {"strongest", "influence"}


def test_the_same_seed_suggests_the_same_and_a_stopped_study_goes_on_as_one_that_was_not(
    tuned: tuple[Path, Tuned], tmp_path: Path
) -> None:
    recipe = world(tmp_path)
    tune(recipe, 5, tmp_path / "study.db")
    first = trials_of(tmp_path)
    again = tune(recipe, TRIALS, tmp_path / "study.db")
    after = trials_of(tmp_path)
    assert [t.datetime_complete for t in after[:5]] == [t.datetime_complete for t in first]
    assert told(after) == told(trials_of(tuned[1].study.parent))
    assert len({json.dumps(trial.params) for trial in after}) == TRIALS
    assert {row["trial"] for row in rows_of(again)} <= set(range(TRIALS))


def test_another_seed_suggests_something_else(tuned: tuple[Path, Tuned], tmp_path: Path) -> None:
    recipe = world(tmp_path)
    recipe.write_text("seed = 1\n" + recipe.read_text())
    tune(recipe, 2, tmp_path / "study.db")
    assert [t.params for t in trials_of(tmp_path)] != [t.params for t in trials_of(tuned[1].study.parent)[:2]]


def test_the_recipe_as_it_stands_is_tried_first(tmp_path: Path) -> None:
    recipe = world(tmp_path, nodes="steps = 4")
    tune(recipe, 1, tmp_path / "study.db")
    (trial,) = trials_of(tmp_path)
    assert suggested(optuna.trial.FixedTrial(trial.params), read_recipe(recipe)) == read_recipe(recipe)
    circuit = task_circuit(recipe, tmp_path / "out")
    assert trial.user_attrs["figures"]["faithfulness"] == circuit["faithfulness"]


@pytest.mark.parametrize(
    ("nodes", "edges", "first"),
    [
        ("method = 'attribution-patching'\nsteps = 3", "formula = 'clean'\nsteps = 3", True),
        ("method = 'ig-inputs'\nsteps = 3", "formula = 'clean'\nsteps = 3", False),
        ("method = 'attribution-patching'\nsteps = 3", "formula = 'path'\nsteps = 3", False),
    ],
)
def test_steps_that_a_method_does_not_take_keep_no_recipe_from_being_tried(
    nodes: str, edges: str, first: bool, tmp_path: Path
) -> None:
    recipe = read_recipe(world(tmp_path, nodes=nodes, edges=edges))
    choices = own_choices(recipe)
    assert (choices is not None) == first
    if choices is not None:
        assert suggested(optuna.trial.FixedTrial(choices), recipe) == recipe


def test_a_study_that_is_done_needs_neither_model_nor_time(tuned: tuple[Path, Tuned], tmp_path: Path) -> None:
    study = tmp_path / "study.db"
    shutil.copy(tuned[1].study, study)
    before = trials_of(tmp_path)
    again = tune(tuned[0], TRIALS - 3, study)
    assert again.rows == tuned[1].rows
    assert trials_of(tmp_path) == before


def test_killed_at_any_point_a_tuning_goes_on_to_the_same_study(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.ingest.tuning_kills", str(world(tmp_path)), str(tmp_path), "6", "5", "0"]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.startswith("5 kills")


def test_a_stopped_trial_is_marked_as_failed_and_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, study = world(tmp_path), tmp_path / "study.db"
    with monkeypatch.context() as patch:
        patch.setattr("ingest.tuning.trial.attribute", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            tune(recipe, 2, study)
    tune(recipe, 2, study)
    trials = trials_of(tmp_path)
    assert trials[0].state == TrialState.FAIL
    assert trials[1].params == trials[0].params
    assert len(done(trials)) == 2


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("pairs = 16", "pairs = 12"), "another recipe (task.pairs is 16 there and 12 here)"),
        (lambda text: text.replace("[5, 100]", "[5, 90]"), "(tuning.top_nodes is [5, 100] there and [5, 90] here)"),
        (lambda text: text.replace("pairs.jsonl", "others.jsonl"), "this recipe with other files"),
    ],
)
def test_a_study_of_another_recipe_is_refused_and_not_touched(
    tuned: tuple[Path, Tuned], change: Callable[[str], str], message: str
) -> None:
    recipe, study = tuned[0], tuned[1].study
    save_pairs(recipe.parent / "others.jsonl", 15)
    other = recipe.with_name("other.toml")
    other.write_text(change(recipe.read_text()))
    content = study.read_bytes()
    with pytest.raises(UsageError) as refused:
        tune(other, TRIALS, study)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
    assert study.read_bytes() == content
    assert not recipe.with_name("other-tuned.toml").exists()


def test_more_trials_are_no_other_recipe(tmp_path: Path) -> None:
    tune(world(tmp_path, "trials = 1"), None, tmp_path / "study.db")
    assert tune(world(tmp_path, "trials = 2"), None, tmp_path / "study.db").trials == 2


def test_a_file_that_is_no_study_is_refused_and_not_touched(tmp_path: Path) -> None:
    recipe, text, other = world(tmp_path), tmp_path / "text.db", tmp_path / "other.db"
    text.write_text("no database\n" * 100)
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE mine (a)")
    connection.close()
    for file in (text, other):
        content = file.read_bytes()
        with pytest.raises(UsageError, match="is no study"):
            tune(recipe, 1, file)
        assert file.read_bytes() == content


def test_a_study_whose_process_was_killed_in_the_middle_of_a_write_goes_on(tmp_path: Path) -> None:
    recipe, file = world(tmp_path), tmp_path / "study.db"
    tune(recipe, 1, file)
    killed = (
        "import os, signal, sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('PRAGMA cache_size = 1'); "
        "c.execute('CREATE TABLE large (x)'); c.execute('BEGIN'); "
        "[c.execute('INSERT INTO large VALUES (zeroblob(9000))') for _ in range(100)]; "
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", killed, str(file)], check=False)
    assert file.with_name("study.db-journal").stat().st_size > 0
    assert tune(recipe, 1, file).trials == 1


def test_a_study_is_in_the_file_that_was_named(tmp_path: Path) -> None:
    file = tmp_path / "100%" / "study?a#b%20.db"
    assert tune(world(tmp_path), 1, file).trials == 1
    assert {path.name for path in file.parent.iterdir()} == {
        file.name,
        f".{file.name}.lock",
        "tiny-tuned.toml",
        ".work",
    }
    assert tune(world(tmp_path), 1, file).trials == 1


def test_a_study_that_another_program_writes_to_is_no_broken_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, file = world(tmp_path), tmp_path / "study.db"
    tune(recipe, 1, file)
    monkeypatch.setattr("ingest.sqlite._SECONDS", 0.1)
    with closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(CircuitstoreError, match=r"study\.db: can't be read now: database is locked: try again"):
            tune(recipe, 1, file)


def test_a_study_of_another_version_of_optuna_is_told_in_one_message(tmp_path: Path) -> None:
    recipe, file = world(tmp_path), tmp_path / "study.db"
    tune(recipe, 1, file)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'v99.0.0'")
        connection.commit()
    with pytest.raises(
        CircuitstoreError, match=r"study\.db: .* no longer compatible .*: name another file with --study"
    ):
        tune(recipe, 1, file)


def test_a_disk_that_is_full_in_the_middle_of_a_study_is_told_in_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, file = world(tmp_path), tmp_path / "study.db"

    def full(*_: Any) -> None:
        with sqlite3.connect(file) as connection:
            connection.execute("CREATE TRIGGER full BEFORE INSERT ON trials BEGIN SELECT RAISE(FAIL, 'disk full'); END")

    monkeypatch.setattr("ingest.tuning.study._check", full)
    tune(recipe, 1, file)
    with pytest.raises(CircuitstoreError, match="can't be read or written: disk full"):
        tune(recipe, 2, file)


def test_the_documented_space_is_the_one_that_is_searched() -> None:
    text = (Path(__file__).parents[2] / "docs" / "tuning.md").read_text()
    said = tomllib.loads(text.partition("```toml")[2].partition("```")[0])["tuning"]
    assert TuningSection.model_validate(said) == TuningSection()
    assert said.keys() == TuningSection.model_fields.keys()


@pytest.mark.parametrize(("formula", "runs"), [("patched", 1), ("clean", 1), ("path", 4)])
def test_patched_edges_cost_one_run_a_node_whatever_the_steps(formula: str, runs: int, tmp_path: Path) -> None:
    recipe = read_recipe(world(tmp_path, edges=f"formula = '{formula}'\nsteps = 3"))
    of: Any = SimpleNamespace(hooks=[0, 1], chosen=[0] * 9)
    assert passes_of(recipe, of, of)[1] == runs * 10


def test_the_study_of_another_program_is_refused_and_not_touched(tmp_path: Path) -> None:
    file = tmp_path / "mine.db"
    storage = optuna.storages.RDBStorage(f"sqlite:///{file}")
    optuna.create_study(storage=storage, study_name="mine")
    storage.remove_session()
    storage.engine.dispose()
    content = file.read_bytes()
    with pytest.raises(UsageError, match=r"holds another program's study \(mine\)"):
        tune(world(tmp_path), 1, file)
    assert file.read_bytes() == content


def test_the_recipe_that_is_tuned_is_not_written_over(tmp_path: Path) -> None:
    recipe = world(tmp_path)
    with pytest.raises(UsageError, match="is the recipe that is tuned"):
        tune(recipe, 1, tmp_path / "study.db", recipe)
    assert not (tmp_path / "study.db").exists()


def test_only_a_recipe_that_was_chosen_before_is_replaced(tmp_path: Path) -> None:
    recipe, mine = world(tmp_path), tmp_path / "mine.toml"
    mine.write_text("# by hand\n" + recipe.read_text())
    content = mine.read_text()
    with pytest.raises(UsageError, match=r"mine\.toml: was not written by circuitstore tune"):
        tune(recipe, 1, tmp_path / "study.db", mine)
    assert mine.read_text() == content
    assert not (tmp_path / "study.db").exists()
    first = tune(recipe, 1, tmp_path / "study.db", tmp_path / "chosen.toml").recipe
    first.write_text(first.read_text() + "# touched\n")
    assert tune(recipe, 1, tmp_path / "study.db", first).recipe == first
    assert "touched" not in first.read_text()


@pytest.mark.parametrize(
    ("tuning", "message"),
    [
        ("top_nodes = [20, 10]", "tuning.top_nodes: give the lower end first"),
        ("methods = []", "tuning.methods: must have at least 1 of them (it is [])"),
        ("edge_threshold = [0.0, 0.1]", "tuning.edge_threshold.0: must be more than 0.0 (it is 0.0)"),
        ("thresholds = 3", "tuning.thresholds: unknown key"),
    ],
)
def test_a_space_that_can_not_be_searched_is_refused(tuning: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as refused:
        tune(world(tmp_path, tuning), 1, tmp_path / "study.db")
    assert message in str(refused.value)
    assert not (tmp_path / "study.db").exists()


def test_faithfulness_that_is_not_defined_is_told_and_nothing_is_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.recovery.share_recovered", lambda *_: None)
    with pytest.raises(ModelError, match="faithfulness is not defined"):
        tune(world(tmp_path), 2, tmp_path / "study.db")
    assert not (tmp_path / "tiny-tuned.toml").exists()


def test_how_a_recipe_is_tuned_changes_nothing_of_what_it_computes(tmp_path: Path) -> None:
    plain, tuning = (world(tmp_path / name, space) for name, space in (("a", "trials = 3"), ("b", "trials = 4")))
    (one,), (other,) = (run_recipe(recipe, recipe.parent / "out") for recipe in (plain, tuning))
    assert open_bundle(one).uid == open_bundle(other).uid


def test_the_chosen_recipe_keeps_comments_and_its_paths_hold_where_it_lies(tmp_path: Path) -> None:
    recipe = world(tmp_path / "here")
    recipe.write_text("# What this is about.\n" + recipe.read_text().replace("top_nodes = 12", "top_nodes = 12 # few"))
    file = tmp_path / "there" / "deep" / "chosen.toml"
    best = tune(recipe, 2, tmp_path / "study.db", file)
    text = file.read_text()
    assert "# What this is about.\n" in text
    assert "# few" in text
    (row,) = (row for row in rows_of(best) if row["chosen"])
    assert task_circuit(file, tmp_path / "out")["faithfulness"] == row["faithfulness"]
    assert recipe.read_text() != text


@pytest.mark.parametrize("layout", ["pruning.top_nodes = 12", "pruning = {top_nodes = 12, node_influence = 0.8}"])
def test_a_recipe_of_any_layout_can_be_chosen_from(layout: str, tmp_path: Path) -> None:
    recipe = world(tmp_path)
    recipe.write_text(f"{layout}\n" + recipe.read_text().replace("[pruning]\ntop_nodes = 12\n", ""))
    assert read_recipe(tune(recipe, 2, tmp_path / "study.db").recipe).task == read_recipe(recipe).task


def test_clusters_are_tuned_where_the_recipe_has_some(tmp_path: Path) -> None:
    space = "top_nodes = [20, 40]\nclusters = [2, 5]\nprunings = ['strongest']"
    methods = "methods = ['k-means', 'leiden']\nbases = ['decoder', 'attributions']\nresamplings = 2"
    recipe = world(tmp_path, space, clustering=methods)
    found = tune(recipe, 4, tmp_path / "study.db")
    (row,) = (row for row in rows_of(found) if row["chosen"])
    (bundle,) = run_recipe(found.recipe, tmp_path / "out")
    with open_store(f"ladybug:{tmp_path}/store.lbug") as store:
        store.load(open_bundle(bundle))
        clusters = run_analysis("clustering", found.recipe, store, tmp_path / "out")
    (clustering,) = open_bundle(clusters).table("Clustering").to_pylist()
    for name in ("stability", "modularity"):
        assert clustering[name] == pytest.approx(row[name], abs=1e-6)
    assert (clustering["method"], clustering["basis"]) == (row["clustering.method"], row["clustering.basis"])


def test_a_stage_costs_every_trial_what_computing_it_took(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr("ingest.tuning.ledger.time", SimpleNamespace(monotonic=lambda: clock.now))
    ledger = Ledger(tmp_path, "study", "0" * 12)

    def work(seconds: float) -> Callable[[], dict[str, torch.Tensor]]:
        def compute() -> dict[str, torch.Tensor]:
            clock.now += seconds
            return {"x": torch.zeros(1)}

        return compute

    costs = []
    for _ in range(2):
        ledger.begin()
        ledger.tensors("gradients-clean-1", work(5))
        ledger.tensors("gradients-clean-1", work(5))  # asked for twice, paid for once
        ledger.tensors("edges-metric", work(2))  # its own, computed in each trial
        costs.append(ledger.seconds)
    assert costs == [7.0, 7.0]
    assert clock.now == 9.0


# What is chosen of what.


def study_of(values: list[tuple[float, ...]]) -> optuna.Study:
    study = optuna.create_study(directions=["minimize"] * 3)
    for one in values:
        study.add_trial(create_trial(values=list(one)))
    return study


small = st.integers(0, 3).map(float)


@given(st.lists(st.tuples(small, small, small), min_size=1, max_size=20))
def test_the_front_is_what_no_trial_beats(values: list[tuple[float, ...]]) -> None:
    def beaten(one: tuple[float, ...]) -> bool:
        return any(all(a <= b for a, b in zip(other, one, strict=True)) and other != one for other in values)

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    found = front(study_of(values))
    assert sorted(trial.number for trial in found) == [n for n, one in enumerate(values) if not beaten(one)]
    assert chosen(found) in found


@pytest.mark.parametrize(
    ("values", "best"),
    [
        ([(0.05, 40.0, 1.0), (0.1, 30.0, 9.0), (0.11, 5.0, 1.0)], 1),  # the smallest that is faithful enough
        ([(0.3, 40.0, 1.0), (0.2, 90.0, 9.0), (0.9, 5.0, 1.0)], 1),  # else the most faithful
        ([(0.05, 30.0, 2.0), (0.02, 30.0, 9.0)], 0),  # of equals the fastest
    ],
)
def test_the_rule_by_which_one_is_chosen(values: list[tuple[float, ...]], best: int) -> None:
    assert chosen([create_trial(values=list(one)) for one in values]).values == list(values[best])


def test_one_process_at_a_time_tunes_with_a_study(tmp_path: Path) -> None:
    from ingest.tuning.study import opened

    recipe = world(tmp_path)
    with (
        opened(tmp_path / "study.db", read_recipe(recipe), None),
        pytest.raises(CircuitstoreError, match="another process is tuning with this study"),
    ):
        tune(recipe, 1, tmp_path / "study.db")
