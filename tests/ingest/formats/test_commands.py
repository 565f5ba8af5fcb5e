"""`circuitstore import` and `export`, as a person uses them."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

from tests.ingest.formats import test_mib
from tests.ingest.formats.graphs import feature, graph
from tests.program.test_program import refused
from tests.project.repository import ROOT

GRAPH = json.dumps(graph([feature(0, 4, 1), feature(1, 5, 2)], [("0_4_1", "1_5_2", 0.5)])).encode()


def done(store: Path, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "circuitstore.py", "--store", f"ladybug:{store}", "--format", "csv", *arguments]
    return subprocess.run(command, input=given, capture_output=True, cwd=ROOT, check=False)


def run(store: Path, *arguments: str, given: bytes = b"") -> bytes:
    ended = done(store, *arguments, given=given)
    ended.check_returncode()
    return ended.stdout


def test_what_is_imported_from_standard_input_is_exported_and_imported_to_the_same_digest(tmp_path: Path) -> None:
    first, second = tmp_path / "first.lbug", tmp_path / "second.lbug"
    run(first, "import", "-", "--format", "attribution-graph", "--out", str(tmp_path / "one"), given=GRAPH)
    circuit = run(first, "circuits", "--columns", "uid").decode().split()[1]
    exported = run(first, "export", circuit, "--format", "attribution-graph")
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "graph.json").write_bytes(exported)
    told = run(second, "import", str(tmp_path / "files"), "--out", str(tmp_path / "two"), "--columns", "circuit")
    assert [json.loads(row["circuit"]) for row in csv.DictReader(io.StringIO(told.decode()))] == [[circuit]]
    assert run(first, "digest") == run(second, "digest")


def test_an_import_that_is_not_to_be_loaded_leaves_the_store_alone(tmp_path: Path) -> None:
    (tmp_path / "graph.json").write_bytes(GRAPH)
    told = run(tmp_path / "s.lbug", "import", str(tmp_path / "graph.json"), "--out", str(tmp_path / "b"), "--no-load")
    assert str(tmp_path / "b") in told.decode()
    assert not (tmp_path / "s.lbug").exists()


def test_columns_that_are_not_there_are_told_before_anything_is_imported(tmp_path: Path) -> None:
    (tmp_path / "graph.json").write_bytes(GRAPH)
    out = tmp_path / "bundles"
    said = refused(2, "import", str(tmp_path / "graph.json"), "--out", str(out), "--columns", "circuit,uid")
    assert "--columns: no column 'uid'; there are bundle, circuit, circuits, rows" in said
    assert not out.exists()


def test_files_that_are_wrong_are_each_told_and_the_others_are_imported(tmp_path: Path) -> None:
    files, out, store = tmp_path / "files", tmp_path / "bundles", tmp_path / "s.lbug"
    files.mkdir()
    for name, content in {"a.json": b"{", "b.json": GRAPH, "c.txt": b"no", "d.json": GRAPH[:-9]}.items():
        (files / name).write_bytes(content)
    ended = done(store, "import", str(tmp_path / "missing"), str(files), "--out", str(out), "--columns", "circuits")
    assert (ended.returncode, ended.stdout) == (1, b"circuits\n1\n")
    said = ended.stderr.decode().splitlines()
    for line, name in zip(said, ("missing", "a.json", "c.txt", "d.json"), strict=False):
        assert line.startswith(f"circuitstore: {tmp_path}")
        assert f"{name}: " in line
    assert "1 circuit, " in said[4]
    assert said[5:] == ["circuitstore: all else is imported: 4 could not be, as said above"]
    assert len(list(out.iterdir())) == 1
    assert len(run(store, "circuits").splitlines()) == 2


def test_a_model_that_no_one_names_is_told(tmp_path: Path) -> None:
    file = test_mib.put(tmp_path / "ioi.json", test_mib.small())
    arguments = ("import", str(file), "--no-load", "--out", str(tmp_path / "b"))
    said = done(tmp_path / "s.lbug", *arguments).stderr.decode()
    assert "it names no model, so this one is called 'transformer-2-layers-2-heads-8'; --model NAME names it" in said
    assert done(tmp_path / "s.lbug", *arguments, "--model", "gpt2").stderr == b""


def test_a_model_that_the_file_names_stays_and_that_is_told(tmp_path: Path) -> None:
    (tmp_path / "graph.json").write_bytes(GRAPH)
    arguments = ("import", str(tmp_path / "graph.json"), "--no-load", "--out", str(tmp_path / "b"), "--model", "other")
    named = json.loads(GRAPH)["metadata"]["scan"]
    assert f"it names its model '{named}', and --model is for files that name none" in (
        done(tmp_path / "s.lbug", *arguments).stderr.decode()
    )
