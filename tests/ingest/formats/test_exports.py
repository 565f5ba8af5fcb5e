"""A stored circuit in every format, and back."""

import csv
import gzip
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from circuitstore import ExportFormat
from ingest.formats.format import Tables
from ingest.formats.importing import export, import_all
from ingest.formats.registry import FORMATS
from store.bundle import Bundle, write_bundle
from store.database import open_store
from store.errors import UsageError
from store.export import circuit_tables, completed
from store.schema import TABLES, Type
from tests.graphs import random_tables
from tests.ingest.formats import test_mib
from tests.ingest.formats.feature_circuit_files import circuit, save
from tests.ingest.formats.test_torch_file import EVAL, Calls
from tests.program.test_program import refused

FOLDERS = ("parquet", "csv")


def stored(bundle: Bundle, path: Path) -> tuple[Tables, str]:
    """What an export of the only circuit gets, and the store's digest."""
    with open_store(f"ladybug:{path}") as store:
        store.load(bundle)
        (uid,) = bundle.table("Circuit")["uid"].to_pylist()
        return completed(store, circuit_tables(store, [uid])), store.digest()


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """A computed circuit of features, with ablations and its task."""
    return write_bundle(tmp_path / "bundle", random_tables(3, n_circuits=1, n_edges=40), {})


def test_a_bundle_exported_and_imported_is_the_same(bundle: Bundle, tmp_path: Path) -> None:
    tables, digest = stored(bundle, tmp_path / "a.lbug")
    export(tables, FORMATS["parquet"], tmp_path / "out", io.BytesIO())
    (again,) = import_all([str(tmp_path / "out")], "auto", tmp_path / "bundles")
    assert again.path == tmp_path / "out"
    assert not (tmp_path / "bundles").exists()
    assert stored(again, tmp_path / "b.lbug")[1] == digest


@pytest.mark.parametrize("format", ["mib", "graphml"])
@pytest.mark.parametrize("gzipped", [False, True])
def test_a_mib_circuit_goes_through_store_and_file_and_is_the_same(tmp_path: Path, format: str, gzipped: bool) -> None:
    file = test_mib.put(tmp_path / "ioi.json", test_mib.small())
    (first,) = import_all([str(file)], "auto", tmp_path / "a", "gpt2")
    tables, digest = stored(first, tmp_path / "a.lbug")
    out = tmp_path / "other"
    export(tables, FORMATS[format], out, io.BytesIO())
    if gzipped:
        out.write_bytes(gzip.compress(out.read_bytes()))
    (second,) = import_all([str(out)], "auto", tmp_path / "b")
    assert second.uid == first.uid
    assert stored(second, tmp_path / "b.lbug")[1] == digest


def test_csv_has_a_file_a_table_and_a_value_a_cell(bundle: Bundle, tmp_path: Path) -> None:
    tables, _ = stored(bundle, tmp_path / "a.lbug")
    export(tables, FORMATS["csv"], tmp_path / "out", io.BytesIO())
    assert {file.name for file in (tmp_path / "out").iterdir()} == {f"{name}.csv" for name in tables}
    parse: dict[Type, Any] = {Type.STRING: str, Type.INT: int, Type.FLOAT: float, Type.STRINGS: json.loads,
                              Type.BOOL: {"true": True, "false": False}.__getitem__}  # fmt: skip
    for name, table in tables.items():
        types = {column.name: parse[column.type] for column in TABLES[name].columns}
        with (tmp_path / "out" / f"{name}.csv").open(newline="", encoding="utf-8") as stream:
            found = [{key: types[key](text) if text else None for key, text in row.items()}
                     for row in csv.DictReader(stream)]  # fmt: skip
        assert found == table.to_pylist()


def _whole(folder: Path) -> Iterator[tuple[str, str]]:
    yield "mib", str(test_mib.put(folder / "c.json", test_mib.small()))
    yield "feature-circuits", str(save(folder / "c.pt", circuit()))


def test_a_file_of_each_format_is_recognised(tmp_path: Path, bundle: Bundle) -> None:
    tables, _ = stored(bundle, tmp_path / "a.lbug")
    files = dict(_whole(tmp_path))
    for name in ("graphml", "attribution-graph"):
        export(tables, FORMATS[name], tmp_path / f"c.{name}", io.BytesIO())
        files[name] = str(tmp_path / f"c.{name}")
    assert set(files) == {one.name for one in FORMATS.values() if one.read}
    for name, file in files.items():
        (found,) = import_all([file], "auto", tmp_path / "bundles" / name)
        assert found.manifest.provenance["format"] == name


@pytest.mark.parametrize("format", [one.name for one in FORMATS.values() if one.write or one.write_folder])
def test_an_export_that_fails_leaves_what_was_there(tmp_path: Path, bundle: Bundle, format: str) -> None:
    tables, _ = stored(bundle, tmp_path / "a.lbug")
    (tmp_path / "out").mkdir()
    target = tmp_path / "out" / "x"
    if format not in FOLDERS:
        target.write_text("before")
    no_texts = pa.table({"uid": pa.array([{"not": "a text"}])})
    with pytest.raises(Exception, match=r".+"):
        export(dict(tables) | {"CircuitNode": no_texts}, FORMATS[format], target, io.BytesIO())
    assert [file.name for file in (tmp_path / "out").iterdir()] == ([] if format in FOLDERS else ["x"])
    assert format in FOLDERS or target.read_text() == "before"


@pytest.mark.parametrize("format", ["graphml", "csv"])
def test_an_export_makes_no_folder_around_it(tmp_path: Path, bundle: Bundle, format: str) -> None:
    tables, _ = stored(bundle, tmp_path / "a.lbug")
    with pytest.raises(UsageError, match=r"^--out: there is no folder .*missing; make it first$"):
        export(tables, FORMATS[format], tmp_path / "missing" / "x", io.BytesIO())
    assert not (tmp_path / "missing").exists()


def test_the_program_names_the_formats_that_can_be_written() -> None:
    names = [one.name for one in FORMATS.values() if one.write or one.write_folder]
    assert [one.value for one in ExportFormat] == [*names, "html"]


def test_inputs_of_heads_are_no_links_of_an_attribution_graph(tmp_path: Path) -> None:
    file = test_mib.put(tmp_path / "ioi.json", test_mib.small())
    (bundle,) = import_all([str(file)], "auto", tmp_path / "a")
    tables = {name: bundle.table(name) for name in bundle.manifest.tables}
    with pytest.raises(UsageError, match="choose mib or graphml"):
        export(tables, FORMATS["attribution-graph"], tmp_path / "out.json", io.BytesIO())
    assert not (tmp_path / "out.json").exists()


def test_a_file_that_would_run_code_is_one_message_and_nothing_is_stored(tmp_path: Path) -> None:
    file = save(tmp_path / "bad.pt", {"nodes": Calls(*EVAL)})
    store, out = f"ladybug:{tmp_path / 'store.lbug'}", tmp_path / "bundles"
    said = refused(1, "--store", store, "import", str(file), "--out", str(out))
    assert re.search(r"bad\.pt: at byte \d+ of its pickle: it names '__builtin__\.eval'", said)
    assert sorted(path.name for path in tmp_path.iterdir()) in (["bad.pt"], ["bad.pt", "bundles"])
    assert not out.exists() or not list(out.iterdir())
