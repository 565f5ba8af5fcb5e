"""The files of a bundle's plots: whole or not there, the same everywhere, and what labels say is what they show."""

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib
import pytest
from matplotlib.figure import Figure
from PIL import Image

from ingest.plots import plot, registry
from store.bundle import write_bundle
from store.errors import BundleError
from tests.graphs import random_bundle, random_tables
from tests.ingest.plots.tables import ablations, altered, circuit, rows_of
from tests.project.repository import ROOT

STRANGE = "_a $x_1$ <b>&\n字 \\frac"
DRAWN = "_a $x_1$ <b>&\\n字 \\frac"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def texts(file: Path) -> list[str]:
    return ["".join(element.itertext()) for element in ElementTree.parse(file).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314


def test_each_plot_is_a_png_and_an_svg_beside_the_bundle(tmp_path: Path) -> None:
    bundle = altered(tmp_path / "b", analyses=True)
    files = plot(bundle.path)
    names = ("clusterings", "effects", "faithfulness", "matching", "predictions")
    assert files == [tmp_path / "b-plots" / f"{name}.{ending}" for name in names for ending in ("png", "svg")]
    for file in files:
        if file.suffix == ".png":
            with Image.open(file) as image:
                assert min(image.size) > 200
        else:
            assert any(len(text) > 5 for text in texts(file))


def test_plots_do_not_depend_on_process_home_or_settings_of_the_user(tmp_path: Path) -> None:
    bundle = altered(tmp_path / "b", analyses=True)
    plot(bundle.path)
    here = contents(tmp_path / "b-plots")
    (tmp_path / "matplotlibrc").write_text("font.size: 40\naxes.facecolor: black\nsvg.fonttype: path\nbackend: TkAgg\n")
    (tmp_path / "file").touch()
    script = f"from ingest.plots import plot; plot({str(bundle.path)!r}); import sys; print('torch' in sys.modules)"
    strange = {"MATPLOTLIBRC": str(tmp_path / "matplotlibrc"), "HOME": str(tmp_path / "file"), "PYTHONHASHSEED": "5"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "MPL"))}
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True, text=True, cwd=ROOT, env={**kept, **strange}, check=True, timeout=300,
    )  # fmt: skip
    assert done.stdout == "False\n"
    assert done.stderr == ""
    assert contents(tmp_path / "b-plots") == here


def test_a_programs_own_settings_of_matplotlib_come_back(tmp_path: Path) -> None:
    with matplotlib.rc_context({"font.size": 33.0}):
        plot(altered(tmp_path / "b").path)
        assert matplotlib.rcParams["font.size"] == 33.0


def test_labels_are_drawn_as_they_are(tmp_path: Path) -> None:
    nodes = [row | {"token": STRANGE} for row in rows_of("CircuitNode")]
    feature = rows_of("Feature")[0]
    changes = ablations(
        {"kind": "faithfulness", "faithfulness": 0.5, "baseline": STRANGE},
        {"kind": "faithfulness", "faithfulness": 0.5, "baseline": "mean"},
        {"kind": "feature", "faithfulness": 0.5, "ablated": feature["uid"]},
    )
    changes |= {
        "Circuit": [circuit() | {"name": STRANGE}],
        "CircuitNode": nodes,
        "Feature": [row | {"label": STRANGE} for row in rows_of("Feature")],
        "Clustering": [{"uid": "clustering:1", "method": STRANGE, "basis": STRANGE}],
    }
    plot(altered(tmp_path / "b", changes, analyses=True).path)
    folder = tmp_path / "b-plots"
    assert f"{DRAWN}: faithfulness by size" in " ".join(texts(folder / "faithfulness.svg"))
    assert f"ablated to {DRAWN}" in texts(folder / "faithfulness.svg")
    assert any(text.startswith("_a $x_1$ ") for text in texts(folder / "effects.svg"))
    assert any(text.endswith(DRAWN) for text in texts(folder / "matrix.svg"))
    assert DRAWN in texts(folder / "clusterings.svg")


def test_the_circuits_of_a_bundle_have_files_of_their_own(tmp_path: Path) -> None:
    bundle = random_bundle(tmp_path / "b", n_circuits=3)
    assert {file.name for file in plot(bundle.path)} >= {"effects.png", "effects.svg"}  # the task's alone
    rows = bundle.table("Circuit").to_pylist()
    names = ["same", "same", "Other one"]
    several = [row | {"aggregation": "task", "name": name} for row, name in zip(rows, names, strict=True)]
    changed = altered(tmp_path / "c", {"Circuit": several}, n_circuits=3)
    found = {file.stem for file in plot(changed.path) if file.stem.startswith("effects")}
    hashes = [row["uid"].rpartition(":")[2] for row in rows[:2]]
    assert found == {"effects-other-one", *(f"effects-same-{mark}" for mark in hashes)}


@pytest.mark.parametrize(("command", "drawn"), [("evidence", {"predictions"}), ("ablations", {"faithfulness"})])
def test_of_stored_circuits_only_what_was_found_out_is_drawn(tmp_path: Path, command: str, drawn: set[str]) -> None:
    bundle = write_bundle(tmp_path / "b", random_tables(n_circuits=1), {"command": command})
    assert {file.stem for file in plot(bundle.path)} == drawn


def test_of_very_many_circuits_only_the_first_are_drawn_and_that_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(registry, "MOST_CIRCUITS", 2)
    shape = {"n_circuits": 4, "n_nodes": 9, "n_edges": 4}
    prompts = [row | {"aggregation": "prompt"} for row in rows_of("Circuit", **shape)]
    bundle = altered(tmp_path / "b", {"Circuit": prompts}, **shape)
    files = plot(bundle.path)
    assert len([file for file in files if file.name.startswith("effects") and file.suffix == ".svg"]) == 2
    assert "first 2 of 4" in capsys.readouterr().err.replace("\n", " ")


def test_a_bundle_without_anything_to_draw_has_no_folder_of_plots(tmp_path: Path) -> None:
    bundle = random_bundle(tmp_path / "b", n_circuits=0)
    (tmp_path / "b-plots").mkdir()
    (tmp_path / "b-plots" / "effects.png").touch()
    assert plot(bundle.path) == []
    assert {path.name for path in tmp_path.iterdir()} == {"b"}


def test_plots_replace_those_of_before_and_sweep_up_after_the_killed(tmp_path: Path) -> None:
    bundle = altered(tmp_path / "b")
    (tmp_path / "b-plots").mkdir()
    (tmp_path / "b-plots" / "gone.png").touch()
    (tmp_path / ".b-plots.0123.writing").mkdir()
    files = plot(bundle.path)
    assert {path.name for path in (tmp_path / "b-plots").iterdir()} == {file.name for file in files}
    assert {path.name for path in tmp_path.iterdir()} == {"b", "b-plots"}


def test_a_full_disk_leaves_the_plots_of_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = altered(tmp_path / "b")
    plot(bundle.path)
    before = contents(tmp_path / "b-plots")
    save, left = Figure.savefig, [3]

    def full(*given: Any, **more: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        save(*given, **more)

    monkeypatch.setattr(Figure, "savefig", full)
    with pytest.raises(BundleError, match=r"b-plots can't be written: No space left"):
        plot(bundle.path)
    assert contents(tmp_path / "b-plots") == before
    assert {path.name for path in tmp_path.iterdir()} == {"b", "b-plots"}


def test_what_can_not_be_drawn_is_one_message_and_leaves_the_plots_of_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = altered(tmp_path / "b")
    plot(bundle.path)
    before = contents(tmp_path / "b-plots")

    def fails(*_: Any) -> None:
        raise ValueError("cannot convert float NaN to integer\nand more")

    monkeypatch.setitem(registry.OF_CIRCUITS, "effects", fails)
    with pytest.raises(BundleError) as refused:
        plot(bundle.path)
    assert str(refused.value) == (
        f"{bundle.path}: its plots can't be drawn: ValueError: cannot convert float NaN to integer"
    )
    assert contents(tmp_path / "b-plots") == before
    assert not list(tmp_path.glob(".*"))


def test_a_folder_with_other_files_is_not_replaced(tmp_path: Path) -> None:
    bundle = altered(tmp_path / "b")
    (tmp_path / "b-plots").mkdir()
    (tmp_path / "b-plots" / "thesis.tex").write_text("years of work")
    with pytest.raises(BundleError, match=r"b-plots holds 'thesis.tex'"):
        plot(bundle.path)
    assert (tmp_path / "b-plots" / "thesis.tex").read_text() == "years of work"
    with pytest.raises(BundleError, match="no bundle"):
        plot(tmp_path / "none")


def test_a_bundle_is_found_by_any_path_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(altered(tmp_path / "b", n_nodes=9, n_edges=4).path)
    assert {file.resolve().parent for file in plot(".")} == {tmp_path / "b-plots"}
    monkeypatch.chdir(tmp_path)
    assert {str(file.parent) for file in plot("b/../b")} == {"b-plots"}
