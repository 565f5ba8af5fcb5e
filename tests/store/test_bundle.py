"""A bundle is its content: however it is written, it is the same, and whatever is wrong with it is told."""

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.bundle import Bundle, open_bundle, write_bundle
from store.database import Store
from store.digest import content_hash, in_order
from store.disk import hold
from store.errors import BundleError
from store.schema import TABLES
from store.validation import find_cycle
from tests.graphs import random_bundle, random_tables, small_tables

quick = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(tables=small_tables(), seed=st.integers(0, 2**32 - 1))
def test_what_is_written_is_read_whatever_the_order_of_rows(
    tables: dict[str, pa.Table], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("bundle")
    rng = np.random.default_rng(seed)
    shuffled = {name: table.take(pa.array(rng.permutation(table.num_rows))) for name, table in tables.items()}
    first, second = (write_bundle(folder / str(i), given, {}) for i, given in enumerate((tables, shuffled)))
    assert first.uid == second.uid
    opened = open_bundle(second.path)
    opened.validate()
    for name, table in tables.items():
        key = [(column, "ascending") for column in TABLES[name].keys if column in table.column_names]
        wanted = table.select([c.name for c in TABLES[name].columns if c.name in table.column_names]).sort_by(key)
        assert opened.table(name).select(wanted.column_names).to_pylist() == wanted.to_pylist()


def test_the_uid_does_not_depend_on_how_parquet_encoded_the_rows(tmp_path: Path) -> None:
    of = TABLES["CircuitNode"]
    table = in_order(random_tables()["CircuitNode"], of)
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=3, use_dictionary=True, compression="zstd")
    read = pq.read_table(tmp_path / "a.parquet")
    assert content_hash(read, of) == content_hash(table, of) == content_hash(table.slice(0), of)


def test_a_bundle_of_a_program_that_did_not_know_a_column_is_read_with_nothing_in_it(tmp_path: Path) -> None:
    late = [column.name for column in TABLES["Circuit"].columns if column.is_late]
    assert late
    bundle = random_bundle(tmp_path / "now")
    rows = bundle.table("Circuit").to_pylist()
    file = bundle.file("Circuit")
    pq.write_table(pq.read_table(file).drop_columns(late), file)
    tables = dict(bundle.manifest.tables)
    tables["Circuit"] = tables["Circuit"].model_copy(update={"sha256": hashlib.sha256(file.read_bytes()).hexdigest()})
    earlier = open_bundle(_edited(bundle, tables={name: entry.model_dump() for name, entry in tables.items()}))
    earlier.validate()
    assert earlier.table("Circuit").to_pylist() == rows
    assert earlier.uid == bundle.uid


def test_a_slice_hashes_as_its_copy() -> None:
    of = TABLES["CircuitNode"]
    part = in_order(random_tables()["CircuitNode"], of).slice(5, 9)
    assert content_hash(part, of) == content_hash(pa.Table.from_pylist(part.to_pylist(), part.schema), of)


@pytest.mark.parametrize(
    ("column", "value"), [("effect", 0.25), ("effect", None), ("token", ""), ("token", None), ("dominates", None)]
)
def test_every_change_of_a_value_changes_the_hash(column: str, value: object) -> None:
    of = TABLES["CircuitNode"]
    rows = in_order(random_tables()["CircuitNode"], of).to_pylist()
    row = next(row for row in rows if row[column] is not None)
    before = content_hash(pa.Table.from_pylist(rows, of.schema), of)
    row[column] = value
    assert content_hash(pa.Table.from_pylist(rows, of.schema), of) != before


def test_a_zero_has_no_sign_and_a_volatile_value_no_weight(tmp_path: Path) -> None:
    tables = random_tables()
    other = dict(tables)
    other["Circuit"] = tables["Circuit"].set_column(
        tables["Circuit"].column_names.index("created_at"), "created_at", pa.array(["2030-01-01T00:00:00Z"] * 2)
    )
    zero = tables["ATTRIBUTES_TO"].column_names.index("weight")
    weights = tables["ATTRIBUTES_TO"]["weight"].to_numpy().copy()
    weights[3] = 0.0
    tables["ATTRIBUTES_TO"] = tables["ATTRIBUTES_TO"].set_column(zero, "weight", pa.array(weights))
    weights[3] = -0.0
    other["ATTRIBUTES_TO"] = tables["ATTRIBUTES_TO"].set_column(zero, "weight", pa.array(weights))
    assert write_bundle(tmp_path / "a", tables, {}).uid == write_bundle(tmp_path / "b", other, {}).uid


def test_what_a_killed_writer_left_is_swept_and_what_a_living_one_holds_is_not(tmp_path: Path) -> None:
    dead, alive, other = (tmp_path / name for name in (".b.0a.writing", ".b.0b.writing", ".c.0c.writing"))
    for left in (dead, alive, other, tmp_path / ".b.0d.replaced"):
        left.mkdir()
        (left / "Model.parquet").write_bytes(b"half")
    held = hold(alive)
    assert held is not None
    random_bundle(tmp_path / "b")
    os.close(held)
    assert sorted(path.name for path in tmp_path.iterdir()) == [alive.name, other.name, "b"]


def test_a_folder_is_replaced_only_when_told(tmp_path: Path) -> None:
    first = random_bundle(tmp_path / "b", 1)
    assert random_bundle(tmp_path / "b", 1).uid == first.uid
    with pytest.raises(BundleError, match="holds another bundle"):
        random_bundle(tmp_path / "b", 2)
    assert open_bundle(tmp_path / "b").uid == first.uid
    second = write_bundle(tmp_path / "b", random_tables(2), {}, replace=True)
    assert open_bundle(tmp_path / "b").uid == second.uid != first.uid
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    with pytest.raises(BundleError, match="is no bundle"):
        write_bundle(tmp_path / "mine", random_tables(2), {}, replace=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "mine"]


Rows = dict[str, list[dict[str, object]]]


def _dangling(rows: Rows) -> None:
    rows["ATTRIBUTES_TO"][0]["target"] = "nowhere"


def _cycle(rows: Rows) -> None:
    edge = rows["ATTRIBUTES_TO"][0]
    back = {**edge, "source": edge["target"], "target": edge["source"]}
    rows["ATTRIBUTES_TO"].append(back)
    circuit = next(r["target"] for r in rows["IN_CIRCUIT"] if r["source"] == edge["source"])
    for row in rows["Circuit"]:
        row["n_edges"] = int(str(row["n_edges"])) + (row["uid"] == circuit)


def _nan(rows: Rows) -> None:
    rows["ATTRIBUTES_TO"][0]["weight"] = float("nan")


def _infinite(rows: Rows) -> None:
    rows["CircuitNode"][0]["effect"] = float("-inf")


def _huge(rows: Rows) -> None:
    rows["ATTRIBUTES_TO"][0]["weight"] = 1e9


def _twice(rows: Rows) -> None:
    rows["Feature"].append(dict(rows["Feature"][0]))


def _null(rows: Rows) -> None:
    rows["CircuitNode"][0]["kind"] = None


def _strange_uid(rows: Rows) -> None:
    rows["Task"][0]["uid"] = "a task"
    rows["FOR_TASK.Circuit-Task"][0]["target"] = "a task"


def _two_circuits(rows: Rows) -> None:
    rows["IN_CIRCUIT"].append({**rows["IN_CIRCUIT"][0], "target": rows["IN_CIRCUIT"][-1]["target"]})


def _no_circuit(rows: Rows) -> None:
    rows["TESTS"].pop()


def _across(rows: Rows) -> None:
    rows["ATTRIBUTES_TO"][0]["source"] = rows["IN_CIRCUIT"][-1]["source"]


def _miscounted(rows: Rows) -> None:
    rows["Circuit"][0]["n_edges"] = 1


FAULTS = [
    (_dangling, r"ATTRIBUTES_TO.parquet: row \d+ .*nowhere.*its target is no CircuitNode"),
    (_cycle, r"ATTRIBUTES_TO.parquet: a circuit must have no cycle; this is one: \S+ → \S+ → \S+"),
    (_nan, r"ATTRIBUTES_TO.parquet: row \d+ .*weight is NaN"),
    (_infinite, r"CircuitNode.parquet: row \d+ .*effect is NaN or infinite"),
    (_huge, r"ATTRIBUTES_TO.parquet: row \d+ .*weight is 1,048,576 or more"),
    (_twice, r"Feature.parquet: row \d+ \(toy-model.*another row has the same uid"),
    (_null, r"CircuitNode.parquet: row \d+ .*kind is null"),
    (_strange_uid, r"Task.parquet: row 0 \(a task\): the uid has characters"),
    (_two_circuits, r"CircuitNode.parquet: row \d+ .*IN_CIRCUIT more than once"),
    (_no_circuit, r"Ablation.parquet: row \d+ .*has no TESTS"),
    (_across, r"ATTRIBUTES_TO.parquet: row \d+ .*its ends are in two circuits"),
    (_miscounted, r"Circuit.parquet: row \d+ .*n_edges is not what the bundle holds"),
]


def _faulty(fault: object) -> dict[str, pa.Table]:
    rows: Rows = {name: table.to_pylist() for name, table in random_tables(7).items()}
    fault(rows)  # type: ignore[operator]
    nullable = {name: pa.schema([field.with_nullable(True) for field in TABLES[name].schema]) for name in rows}
    return {name: pa.Table.from_pylist(found, schema=nullable[name]) for name, found in rows.items()}


@pytest.mark.parametrize(("fault", "message"), FAULTS, ids=[fault.__name__.strip("_") for fault, _ in FAULTS])
def test_what_can_not_be_loaded_is_not_written(fault: object, message: str, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=message):
        write_bundle(tmp_path / "b", _faulty(fault), {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("fault", "message"), FAULTS[:6], ids=[fault.__name__.strip("_") for fault, _ in FAULTS[:6]])
def test_what_another_writer_got_wrong_is_not_loaded(
    fault: object, message: str, tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = store.digest()
    with monkeypatch.context() as patch:
        patch.setattr(Bundle, "validate", lambda self: None)
        write_bundle(tmp_path / "b", _faulty(fault), {})
    with pytest.raises(BundleError, match=message):
        store.load(open_bundle(tmp_path / "b"))
    assert store.digest() == empty


def test_an_altered_byte_is_found_in_every_file(tmp_path: Path) -> None:
    bundle = random_bundle(tmp_path / "b")
    for name in bundle.manifest.tables:
        file = bundle.file(name)
        content = file.read_bytes()
        file.write_bytes(content[:40] + bytes([content[40] ^ 1]) + content[41:])
        with pytest.raises(BundleError, match=f"{name}.parquet is not the file that was written"):
            open_bundle(bundle.path).validate()
        file.write_bytes(content)
    open_bundle(bundle.path).validate()


def test_a_truncated_file_a_missing_one_and_one_too_many_are_named(tmp_path: Path) -> None:
    bundle = random_bundle(tmp_path / "b")
    file = bundle.file("Feature")
    content = file.read_bytes()
    file.write_bytes(content[:-20])
    with pytest.raises(BundleError, match=r"Feature\.parquet is not the file that was written"):
        open_bundle(bundle.path).validate()
    file.unlink()
    with pytest.raises(BundleError, match=r"Feature\.parquet is missing"):
        open_bundle(bundle.path).validate()
    file.write_bytes(content)
    (bundle.path / "More.parquet").write_bytes(content)
    with pytest.raises(BundleError, match=r"More\.parquet is not in the manifest"):
        open_bundle(bundle.path).validate()


def _edited(bundle: Bundle, **changes: object) -> Path:
    manifest = bundle.path / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), **changes}))
    return bundle.path


def test_a_newer_schema_asks_for_an_upgrade(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="has schema version 99, this program knows 3: upgrade circuitstore"):
        open_bundle(_edited(random_bundle(tmp_path / "b"), schema_version=99, more="fields"))


def test_a_manifest_that_lies_is_found_out(tmp_path: Path) -> None:
    bundle = random_bundle(tmp_path / "a")
    with pytest.raises(BundleError, match="the uid is not the hash of the content"):
        open_bundle(_edited(bundle, uid="0" * 64)).validate()
    entries = {name: entry.model_dump() for name, entry in bundle.manifest.tables.items()}
    entries["Feature"]["rows"] += 1
    with pytest.raises(BundleError, match="rows, the manifest says"):
        open_bundle(_edited(bundle, tables=entries)).validate()
    with pytest.raises(BundleError, match=r"manifest\.json: uid"):
        open_bundle(_edited(bundle, uid="../x"))
    (bundle.path / "manifest.json").write_text("{")
    with pytest.raises(BundleError, match=r"manifest\.json can't be read"):
        open_bundle(bundle.path)


def test_a_folder_without_a_manifest_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is no bundle"):
        open_bundle(tmp_path)


def test_feeds_may_not_be_in_a_bundle(tmp_path: Path) -> None:
    tables = random_tables()
    uid = tables["Feature"]["uid"][0].as_py()
    row = {"source": uid, "target": uid, "n_circuits": 1, "mean_weight": 1.0, "mean_abs_weight": 1.0,
           "sign_agreement": 1.0, "n_positive": 1, "weight_sum": 2**32, "abs_weight_sum": 2**32}  # fmt: skip
    tables["FEEDS"] = pa.Table.from_pylist([row], schema=TABLES["FEEDS"].schema)
    with pytest.raises(BundleError, match="FEEDS is made by the store"):
        write_bundle(tmp_path / "b", tables, {})


@quick
@given(st.integers(1, 12), st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=30, unique=True))
def test_a_cycle_is_found_where_networkx_finds_one(n: int, edges: list[tuple[int, int]]) -> None:
    import networkx as nx

    graph = nx.DiGraph([(a % n, b % n) for a, b in edges])
    pairs = np.array(list(graph.edges), np.int64).reshape(-1, 2)
    cycle = find_cycle(pairs[:, 0], pairs[:, 1], n)
    assert (cycle is None) == nx.is_directed_acyclic_graph(graph)
    if cycle:
        assert all(graph.has_edge(a, b) for a, b in zip(cycle, cycle[1:] + cycle[:1], strict=True))


@pytest.mark.parametrize("version", ["2", 2.0, "1", 1.0, True, None])
def test_a_schema_version_is_a_whole_number(tmp_path: Path, version: object) -> None:
    with pytest.raises(BundleError, match=r"manifest\.json: schema_version: "):
        open_bundle(_edited(random_bundle(tmp_path / "b"), schema_version=version))


def test_a_manifest_without_a_schema_version_is_refused(tmp_path: Path) -> None:
    manifest = random_bundle(tmp_path / "b").path / "manifest.json"
    said = json.loads(manifest.read_text())
    del said["schema_version"]
    manifest.write_text(json.dumps(said))
    with pytest.raises(BundleError, match=r"manifest\.json: schema_version: Field required"):
        open_bundle(tmp_path / "b")


@pytest.mark.parametrize("text", ["[" * 200_000, '{"provenance": ' * 200_000, "[]", "null", "3"])
def test_a_manifest_that_is_too_deep_or_no_object_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(BundleError, match=r"manifest\.json (can't be read|is no JSON object).*write the bundle again"):
        open_bundle(tmp_path)
