"""`circuitstore import` and `export`, as a person uses them."""

import json
import subprocess
import sys
from pathlib import Path

from tests.ingest.formats.graphs import feature, graph
from tests.project.repository import ROOT

GRAPH = json.dumps(graph([feature(0, 4, 1), feature(1, 5, 2)], [("0_4_1", "1_5_2", 0.5)])).encode()


def run(store: Path, *arguments: str, given: bytes = b"") -> bytes:
    command = [sys.executable, "circuitstore.py", "--store", f"ladybug:{store}", "--format", "csv", *arguments]
    return subprocess.run(command, input=given, capture_output=True, cwd=ROOT, check=True).stdout


def test_what_is_imported_from_standard_input_is_exported_and_imported_to_the_same_digest(tmp_path: Path) -> None:
    first, second = tmp_path / "first.lbug", tmp_path / "second.lbug"
    run(first, "import", "-", "--format", "attribution-graph", "--out", str(tmp_path / "one"), given=GRAPH)
    circuit = run(first, "circuits", "--columns", "uid").decode().split()[1]
    exported = run(first, "export", circuit, "--format", "attribution-graph")
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "graph.json").write_bytes(exported)
    run(second, "import", str(tmp_path / "files"), "--out", str(tmp_path / "two"))
    assert run(first, "digest") == run(second, "digest")


def test_an_import_that_is_not_to_be_loaded_leaves_the_store_alone(tmp_path: Path) -> None:
    (tmp_path / "graph.json").write_bytes(GRAPH)
    told = run(tmp_path / "s.lbug", "import", str(tmp_path / "graph.json"), "--out", str(tmp_path / "b"), "--no-load")
    assert str(tmp_path / "b") in told.decode()
    assert not (tmp_path / "s.lbug").exists()
