"""Runs in MLflow and in the store: what is told of them, once, and to nobody else."""

import importlib.util
import json
import os
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import NoReturn

import pytest

import ingest.tracking
from ingest.dashboard import pages
from ingest.figures import told_apart
from ingest.job import run_recipe
from ingest.revision import git_revision
from ingest.tracking import Record, Tracker, flat
from ingest.tuning import tune
from store.bundle import Bundle, open_bundle
from store.errors import CircuitstoreError
from tests.ingest.tiny import save_recipe
from tests.project.repository import ROOT


def _refused(*_: object) -> NoReturn:
    raise OSError("there is no network here")


@contextmanager
def no_network() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _refused)
        patch.setattr(socket, "getaddrinfo", _refused)
        yield


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Tracker, Bundle, str]:
    """A bundle with a plot beside it, tracked where nothing can be reached."""
    folder = tmp_path_factory.mktemp("tracked")
    recipe = save_recipe(folder)
    tracker = Tracker(folder / "out" / "tracking")
    with no_network():
        (path,) = run_recipe(recipe, folder / "out", tracker=tracker)
        plots = path.with_name(f"{path.name}-plots")
        plots.mkdir()
        (plots / "curve.svg").write_text("<svg/>")
        return tracker, open_bundle(path), tracker.track_bundle(path)


def test_a_run_tells_what_its_bundle_says(tracked: tuple[Tracker, Bundle, str]) -> None:
    tracker, bundle, run_id = tracked
    run, (row,) = tracker.client.get_run(run_id), bundle.table("Run").to_pylist()
    assert row["tracking_id"] == run_id
    assert run.info.status == "FINISHED"
    assert run.info.end_time - run.info.start_time == pytest.approx(1000 * row["seconds"], abs=2)
    assert run.data.tags["bundle"] == bundle.uid
    said = json.loads(row["params"])
    assert run.data.params["nodes.steps"] == str(said["nodes"]["steps"])
    assert run.data.params["nodes.method"] == said["nodes"]["method"]
    assert run.data.params["versions.torch"] == json.loads(row["versions"])["torch"]
    (circuit,) = (c for c in bundle.table("Circuit").to_pylist() if c["aggregation"] == "task")
    for name, of in (("nodes", "n_nodes"), ("edges", "n_edges"), ("faithfulness", "faithfulness")):
        assert run.data.metrics[name] == circuit[of]
    assert run.data.metrics["memory"] == row["memory"]


def test_faithfulness_is_a_curve_by_size(tracked: tuple[Tracker, Bundle, str]) -> None:
    tracker, bundle, run_id = tracked
    for kind in ("faithfulness", "completeness"):
        rows = [a for a in bundle.table("Ablation").to_pylist() if (a["kind"], a["errors"]) == (kind, "kept")]
        points = tracker.client.get_metric_history(run_id, f"{kind}/kept errors")
        assert sorted((p.step, p.value) for p in points) == sorted((a["n_nodes"], a["faithfulness"]) for a in rows)
        assert len(points) >= 3


def test_the_bundle_that_was_kept_is_the_bundle(tracked: tuple[Tracker, Bundle, str], tmp_path: Path) -> None:
    tracker, bundle, run_id = tracked
    kept = open_bundle(tracker.client.download_artifacts(run_id, "bundle", str(tmp_path)))
    kept.validate()
    assert kept.uid == bundle.uid
    assert [a.path for a in tracker.client.list_artifacts(run_id, "plots")] == ["plots/curve.svg"]


def test_a_bundle_is_tracked_once_and_later_plots_are_added(tracked: tuple[Tracker, Bundle, str]) -> None:
    tracker, bundle, run_id = tracked
    (bundle.path.with_name(f"{bundle.path.name}-plots") / "later.svg").write_text("<svg/>")
    again = Tracker(tracker.folder)
    assert again.track_bundle(bundle.path) == run_id
    assert len(again.client.search_runs([again.experiment])) == 1
    assert "plots/later.svg" in [a.path for a in again.client.list_artifacts(run_id, "plots")]


def test_a_bundle_of_another_machine_can_be_tracked(tracked: tuple[Tracker, Bundle, str], tmp_path: Path) -> None:
    elsewhere = Tracker(tmp_path)
    run = elsewhere.client.get_run(elsewhere.track_bundle(tracked[1].path))
    assert run.info.run_id != tracked[2]
    assert run.data.tags["bundle"] == tracked[1].uid


def test_tracking_leaves_the_hash_of_the_bundle_as_it_is(tracked: tuple[Tracker, Bundle, str], tmp_path: Path) -> None:
    (plain,) = run_recipe(save_recipe(tmp_path), tmp_path / "out")
    assert open_bundle(plain).table("Run")["tracking_id"].to_pylist() == [None]
    assert open_bundle(plain).uid == tracked[1].uid


def test_figures_of_several_circuits_are_told_apart_by_names_that_a_tracker_takes(tmp_path: Path) -> None:
    names = {"c:a:1": "pp → (number)", "c:a:2": "pp → (number)", "c:b:3": "../rc & more", "c:d:4": "ü"}
    marks = told_apart([{"uid": uid, "name": name} for uid, name in names.items()])
    assert marks == ["pp-number-1", "pp-number-2", "rc-more", "u"]
    tracker = Tracker(tmp_path)
    run = tracker.tell(Record("several", {}, [(f"{mark}/nodes", 1.0, 0) for mark in marks], {}))
    assert tracker.client.get_run(run).data.metrics.keys() == {f"{mark}/nodes" for mark in marks}


def test_mlflow_says_nothing_of_its_tables(tmp_path: Path) -> None:
    told = "from pathlib import Path; from ingest.tracking import Tracker; print(Tracker(Path('.')).reserve())"
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": str(root)}
    environment.pop("MLFLOW_LOGGING_LEVEL", None)
    done = subprocess.run(
        [sys.executable, "-c", told], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert len(done.stdout.split()) == 1
    assert done.stderr == ""


def test_a_tuning_is_one_run_with_what_was_chosen(tmp_path: Path) -> None:
    tuned = tune(save_recipe(tmp_path), 2, tmp_path / "study.db")
    tracker = Tracker(tmp_path / "tracking")
    run = tracker.client.get_run(tuned.track(tracker))
    (row,) = (row for row in tuned.rows if row[1])
    assert run.data.metrics["faithfulness"] == row[tuned.columns.index("faithfulness")]
    assert run.data.params["chosen.nodes.method"] == row[tuned.columns.index("nodes.method")]
    assert {a.path for a in tracker.client.list_artifacts(run.info.run_id)} == {"front", "recipe"}


def test_without_the_extra_one_message_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        ingest.tracking, "find_spec", lambda name: None if name == "mlflow" else importlib.util.find_spec(name)
    )
    with pytest.raises(CircuitstoreError, match=r"needs mlflow: pip install -e '\.\[tracking\]'"):
        Tracker(tmp_path / "tracking")
    assert not (tmp_path / "tracking").exists()


@contextmanager
def full_disk(tracker: Tracker) -> Iterator[None]:
    """No run can be made meanwhile."""
    with closing(sqlite3.connect(tracker.file)) as connection:
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON runs BEGIN SELECT RAISE(FAIL, 'disk full'); END")
        connection.commit()
        yield
        connection.execute("DROP TRIGGER full")
        connection.commit()


def test_runs_are_in_the_folder_that_was_named(tmp_path: Path) -> None:
    tracker = Tracker(tmp_path / "a?b#c%20d ü 100%")
    assert tracker.reserve()
    assert tracker.file.stat().st_size > 0
    assert [path.name for path in tmp_path.iterdir()] == [tracker.folder.name]


def test_a_store_that_can_not_be_is_told_before_anything_begins_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("no database\n" * 100)
    with pytest.raises(CircuitstoreError, match=r"mlflow\.db: can't be read or written: file is not a database"):
        Tracker(tmp_path)
    assert (tmp_path / "mlflow.db").read_text() == "no database\n" * 100
    with pytest.raises(CircuitstoreError, match=r"can't be made: .*mlflow\.db is no folder"):
        Tracker(tmp_path / "mlflow.db" / "deeper")


def test_a_tracker_that_fails_costs_no_bundle_and_is_told_in_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tracker = Tracker(tmp_path / "tracking")
    assert tracker.experiment
    with full_disk(tracker):
        (path,) = run_recipe(save_recipe(tmp_path), tmp_path / "out", tracker=tracker)
        assert "made without a tracking id: " in " ".join(capsys.readouterr().err.split())
        assert open_bundle(path).table("Run")["tracking_id"].to_pylist() == [None]
        for tell in (partial(tracker.track_bundle, path), partial(tracker.tell, Record("one", {}, [], {}))):
            with pytest.raises(CircuitstoreError) as refused:
                tell()
            assert str(refused.value) == f"{tracker.file}: can't be read or written: disk full"
    assert tracker.client.get_run(tracker.track_bundle(path)).data.tags["bundle"] == open_bundle(path).uid


def test_a_disk_that_is_full_when_artifacts_are_kept_is_one_message(
    tracked: tuple[Tracker, Bundle, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker = Tracker(tmp_path)

    def full(*_: object) -> NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tracker.client, "log_artifacts", full)
    with pytest.raises(CircuitstoreError, match="No space left on device"):
        tracker.track_bundle(tracked[1].path)


def test_the_program_tells_of_bundles_that_were_made_though_they_could_not_be_tracked(tmp_path: Path) -> None:
    recipe, out = save_recipe(tmp_path), tmp_path / "out"
    tracker = Tracker(out / "tracking")
    assert tracker.experiment
    command = [sys.executable, str(ROOT / "circuitstore.py"), "--store", f"ladybug:{tmp_path / 'store.lbug'}"]
    command += ["ingest", str(recipe), "--out", str(out), "--track", "--format", "csv"]
    with full_disk(tracker):
        failed = subprocess.run(command, capture_output=True, text=True, check=False)
    (bundle,) = failed.stdout.splitlines()[1:]
    assert (out / bundle / "manifest.json").exists()
    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr
    said = failed.stderr.splitlines()[-1]
    assert said.startswith(f"circuitstore: {bundle} is made, but not tracked: ")
    assert f"{tracker.file}: can't be read or written: disk full" in said
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert again.stdout == failed.stdout
    assert f"{bundle}: tracked as " in again.stderr


def test_nested_parameters_are_named_with_dots_and_what_is_not_said_is_left_out() -> None:
    said = {"a": {"b": 1, "c": None, "d": [1, 2]}, "e": "text", "f": True}
    assert flat(said) == {"a.b": "1", "a.d": "[1, 2]", "e": "text", "f": "true"}


def test_both_pages_are_served(tmp_path: Path) -> None:
    folder = tmp_path / "a?b#c%20d"
    tune(save_recipe(tmp_path), 1, folder / "tuning" / "tiny.db")
    assert Tracker(folder / "tracking").reserve()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with pages(folder) as urls:
        assert list(urls) == ["MLflow", "Optuna"]
        shown = {name: opener.open(url, timeout=30).read().decode() for name, url in urls.items()}
        studies = json.loads(opener.open(f"{urls['Optuna']}/api/studies", timeout=30).read())
        experiments = f"{urls['MLflow']}/ajax-api/2.0/mlflow/experiments/get-by-name?experiment_name=circuitstore"
        assert json.loads(opener.open(experiments, timeout=30).read())["experiment"]["name"] == "circuitstore"
    assert "<title>MLflow</title>" in shown["MLflow"]
    assert "<title>Optuna Dashboard</title>" in shown["Optuna"]
    assert len(studies["study_summaries"]) == 1
    assert not [path for path in tmp_path.iterdir() if "%23" in path.name]
    for url in urls.values():
        with pytest.raises(OSError, match="refused"):
            opener.open(url, timeout=5)


def test_where_there_is_nothing_to_show_one_message_says_so(tmp_path: Path) -> None:
    with pytest.raises(CircuitstoreError, match="nothing was tracked and nothing tuned there"), pages(tmp_path):
        pass
    missing = tmp_path / "none.db"
    with pytest.raises(CircuitstoreError, match="no such study"), pages(tmp_path, missing):
        pass


# The revision of the program.


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_revision_is_the_commit_and_says_where_the_tree_differs(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "a.py").write_text("1\n")
    git(tmp_path, "add", "a.py")
    git(tmp_path, "commit", "-qm", "one")
    git(tmp_path, "tag", "v1")
    git_revision.cache_clear()
    assert git_revision(tmp_path) == git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "a.py").write_text("2\n")
    git_revision.cache_clear()
    assert git_revision(tmp_path) == git(tmp_path, "rev-parse", "HEAD") + "-dirty"
    inner = tmp_path / "site-packages"
    inner.mkdir()
    assert git_revision(inner) is None  # installed below another project's checkout


def test_without_git_there_is_no_revision_and_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    git_revision.cache_clear()
    assert git_revision(tmp_path) is None  # no repository
    monkeypatch.setenv("PATH", str(tmp_path))
    git_revision.cache_clear()
    assert git_revision(tmp_path) is None  # no git
