"""What is stored depends on which bundles were loaded and which circuits deleted, and on nothing else."""

import random
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from store.bundle import Bundle, open_bundle, write_bundle
from store.database import Store, open_store
from store.errors import BundleError, NotFoundError
from store.ownership import is_evidence
from store.schema import TABLES
from tests.graphs import random_bundle, random_tables
from tests.neo4j_server import Neo4j
from tests.store.rollups import occurrences, recomputed, recomputed_occurrences, stored


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[Bundle]:
    """Three bundles of circuits over the same features, one of features and what was found out about them."""
    folder = tmp_path_factory.mktemp("bundles")
    shape = {"n_features": 5, "n_edges": 30}
    return [
        random_bundle(folder / "a", 1, **shape, inputs=True),
        random_bundle(folder / "b", 2, **shape, n_circuits=3),
        random_bundle(folder / "c", 3, **shape, n_circuits=1, analyses=True),
        random_bundle(folder / "knowledge", 4, n_features=5, n_circuits=0, analyses=True),
    ]


def circuits(bundle: Bundle) -> list[str]:
    return list(bundle.table("Circuit")["uid"].to_pylist())


def digest_of(bundles: list[Bundle], tmp_path: Path) -> str:
    """The digest of a fresh embedded store that these were loaded into."""
    with open_store(f"ladybug:{tmp_path / 'reference.lbug'}") as store:
        for bundle in bundles:
            store.load(bundle)
        digest = store.digest()
    (tmp_path / "reference.lbug").unlink()
    return digest


def test_every_row_of_a_bundle_is_stored_as_it_is(store: Store, bundles: list[Bundle]) -> None:
    bundle = bundles[2]
    report = store.load(bundle)
    assert (report.already, report.circuits) == (False, circuits(bundle))
    for name in bundle.manifest.tables:
        of = TABLES[name]
        columns = [f"n.`{column.name}`" for column in of.properties]
        if of.is_node:
            text = f"MATCH (n:{name})"
        else:
            text, columns = f"MATCH (a:{of.source})-[n:{of.type}]->(b:{of.target})", ["a.uid", "b.uid", *columns]
        rows = store.run(f"{text} RETURN {', '.join(columns)}").rows
        keys = len(of.keys)
        wanted = [list(row.values()) for row in bundle.table(name).to_pylist()]
        assert sorted(rows, key=lambda row: row[:keys]) == sorted(wanted, key=lambda row: row[:keys]), name


def test_a_second_load_does_nothing(store: Store, bundles: list[Bundle]) -> None:
    store.load(bundles[0])
    digest = store.digest()
    report = store.load(open_bundle(bundles[0].path))
    assert (report.already, report.circuits, report.rows) == (True, [], 0)
    assert store.digest() == digest


def test_the_order_of_loads_does_not_matter(store: Store, bundles: list[Bundle], tmp_path: Path) -> None:
    for bundle in reversed(bundles):
        store.load(bundle)
    assert store.digest() == digest_of(bundles, tmp_path)
    assert stored(store) == recomputed(store)
    assert occurrences(store) == recomputed_occurrences(store) != []
    assert max(row[2] for row in stored(store)) > 1  # the bundles do share edges between features


def test_deleting_a_bundles_circuits_leaves_what_the_others_hold(
    store: Store, bundles: list[Bundle], tmp_path: Path
) -> None:
    empty = store.digest()
    first, second, *_ = bundles
    store.load(first)
    store.load(second)
    for circuit in circuits(first):
        store.delete(circuit)
        assert stored(store) == recomputed(store)
        assert occurrences(store) == recomputed_occurrences(store)
    assert store.digest() == digest_of([second], tmp_path)
    for circuit in circuits(second):
        store.delete(circuit)
    assert store.digest() == empty


def test_a_load_after_a_delete_restores_what_was_deleted(store: Store, bundles: list[Bundle]) -> None:
    store.load(bundles[1])
    digest = store.digest()
    gone = circuits(bundles[1])[1]
    store.delete(gone)
    assert store.digest() != digest
    assert store.load(bundles[1]).circuits == [gone]
    assert store.digest() == digest


def test_what_was_found_out_about_features_outlives_circuits(
    store: Store, bundles: list[Bundle], tmp_path: Path
) -> None:
    first, _, analysed, knowledge = bundles
    store.load(first)
    store.load(knowledge)
    for circuit in circuits(first):
        store.delete(circuit)
    assert store.digest() == digest_of([knowledge], tmp_path)
    store.load(analysed)
    store.delete(circuits(analysed)[0])
    matched = store.run("MATCH (f:Feature)-[:MATCHES]->(g:Feature) RETURN f.uid, g.uid").rows
    for bundle in (analysed, knowledge):
        assert all([row["source"], row["target"]] in matched for row in bundle.table("MATCHES").to_pylist())


def test_deleting_what_is_not_stored_says_so_and_changes_nothing(store: Store, bundles: list[Bundle]) -> None:
    store.load(bundles[0])
    digest = store.digest()
    with pytest.raises(NotFoundError, match="no circuit 'nothing' is stored"):
        store.delete("nothing")
    assert store.digest() == digest


@pytest.mark.parametrize("seed", range(3))
def test_any_sequence_ends_where_its_survivors_alone_would(
    seed: int, store: Store, bundles: list[Bundle], tmp_path: Path
) -> None:
    """Deletes and loads at random, then loads of all bundles: the roll-up is right at each step."""
    rng = random.Random(seed)
    for _ in range(6):
        alive = [uid for (uid,) in store.run("MATCH (c:Circuit) RETURN c.uid").rows]
        if alive and rng.random() < 0.5:
            store.delete(rng.choice(sorted(alive)))
        else:
            store.load(rng.choice(bundles))
        assert stored(store) == recomputed(store)
        assert occurrences(store) == recomputed_occurrences(store)
    for bundle in rng.sample(bundles, len(bundles)):
        store.load(bundle)
    assert store.digest() == digest_of(bundles, tmp_path)


def _with_features(folder: Path, seed: int, changes: dict[str, object]) -> Bundle:
    """A bundle whose first feature says something else."""
    tables = random_tables(seed, n_features=5)
    rows = sorted(tables["Feature"].to_pylist(), key=lambda row: str(row["uid"]))
    rows[0].update(changes)
    tables["Feature"] = pa.Table.from_pylist(rows, schema=TABLES["Feature"].schema)
    return write_bundle(folder, tables, {})


def test_two_accounts_of_a_feature_are_merged_whatever_comes_first(store: Store, tmp_path: Path) -> None:
    first = _with_features(tmp_path / "a", 1, {"label": "plural", "top_tokens": ["b"], "density": None,
                                               "max_activation": -1.0, "examples": None})  # fmt: skip
    second = _with_features(tmp_path / "b", 2, {"label": "é", "top_tokens": ["a", "z"], "density": 0.5,
                                                "max_activation": 2.0, "examples": ["x"]})  # fmt: skip
    uid = min(first.table("Feature")["uid"].to_pylist())
    assert uid == min(second.table("Feature")["uid"].to_pylist())
    for bundle in (second, first):
        store.load(bundle)
    merged = store.run("MATCH (f:Feature {uid: $uid}) RETURN f", {"uid": uid}).rows[0][0]
    assert merged["label"] == "é"
    assert merged["top_tokens"] == ["b"]
    assert (merged["density"], merged["max_activation"], merged["examples"]) == (0.5, 2.0, ["x"])
    assert store.digest() == digest_of([first, second], tmp_path)


@pytest.fixture
def both(ladybug_url: str, neo4j: Neo4j) -> Iterator[tuple[Store, Store]]:
    neo4j.empty()
    with open_store(ladybug_url) as ladybug, open_store(neo4j.url) as server:
        yield ladybug, server


def test_both_databases_have_the_same_digest(both: tuple[Store, Store], bundles: list[Bundle]) -> None:
    ladybug, server = both
    assert ladybug.digest() == server.digest()
    for bundle in bundles:
        ladybug.load(bundle)
        server.load(bundle)
        assert ladybug.digest() == server.digest()
    for circuit in circuits(bundles[1]):
        ladybug.delete(circuit)
        server.delete(circuit)
        assert ladybug.digest() == server.digest()


def test_both_databases_answer_in_the_same_values(both: tuple[Store, Store], bundles: list[Bundle]) -> None:
    for store in both:
        store.load(bundles[0])
    for text in (
        "MATCH (n:CircuitNode) RETURN n ORDER BY n.uid",
        "MATCH (n:Feature) RETURN n, n.top_tokens ORDER BY n.uid",
        "MATCH (a)-[r:ATTRIBUTES_TO]->(b) RETURN r, a.uid, b.uid ORDER BY a.uid, b.uid, r.weight",
        "MATCH p = (a)-[r:ATTRIBUTES_TO]->(b) RETURN nodes(p), relationships(p), p ORDER BY a.uid, b.uid, r.weight",
        "RETURN 1 AS int, 1.5 AS float, true AS bool, null AS nothing, [1, 2] AS list, {a: 'x', b: [1]} AS map",
    ):
        ladybug, server = (store.run(text) for store in both)
        assert ladybug.rows == server.rows
        assert ladybug.rows


def _changed(folder: Path, table: str, column: str, value: object) -> Bundle:
    """Bundle 1 of the same uids, with one value of an owned row changed."""
    tables = random_tables(1, n_features=5, n_edges=30, inputs=True)
    rows = tables[table].to_pylist()
    rows[0][column] = value
    tables[table] = pa.Table.from_pylist(rows, schema=TABLES[table].schema)
    return write_bundle(folder, tables, {})


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [("CircuitNode", "effect", 9.0), ("ATTRIBUTES_TO", "weight", 9.0), ("Circuit", "method", "other"),
     ("Ablation", "metric", 9.0)],
)  # fmt: skip
def test_a_circuit_stored_with_other_content_is_refused_and_a_delete_is_the_way_out(
    store: Store, bundles: list[Bundle], tmp_path: Path, table: str, column: str, value: object
) -> None:
    store.load(bundles[0])
    digest = store.digest()
    other = _changed(tmp_path / "other", table, column, value)
    with pytest.raises(BundleError, match=r"the circuit (\S+) is stored with other content .*delete \1` first"):
        store.load(other)
    assert store.digest() == digest
    for circuit in circuits(other):
        store.delete(circuit)
    store.load(other)
    assert store.digest() == digest_of([other], tmp_path)


def _with_evidence(folder: Path, part: int) -> Bundle:
    """Bundle 1 with some of what was measured on its circuits: half of the ablations, a third of what was observed."""
    tables = random_tables(1, n_features=5, n_edges=30, inputs=True)
    ablations = set(tables["Ablation"]["uid"].to_pylist()[part::2])
    for name in tables:
        if is_evidence(name):
            end = "uid" if TABLES[name].is_node else "source"
            rows = [row for row in tables[name].to_pylist() if row[end] in ablations]
            tables[name] = pa.Table.from_pylist(rows, schema=TABLES[name].schema)
    for name, column in (
        ("CircuitNode", "observed_effect"),
        ("ATTRIBUTES_TO", "observed"),
        ("Circuit", "faithfulness"),
    ):
        rows = [
            {**row, column: row[column] if n % 3 == part else None} for n, row in enumerate(tables[name].to_pylist())
        ]
        tables[name] = pa.Table.from_pylist(rows, schema=TABLES[name].schema)
    return write_bundle(folder, {name: table for name, table in tables.items() if table.num_rows}, {})


def test_what_was_measured_later_is_added_whatever_comes_first(
    both: tuple[Store, Store], bundles: list[Bundle], tmp_path: Path
) -> None:
    """Parts of a circuit's evidence, in any order, and the whole of it."""
    parts = [_with_evidence(tmp_path / str(part), part) for part in range(3)]
    whole = bundles[0]
    for store, order in zip(both, ([parts[0], parts[1], whole, parts[2]], [parts[2], whole, parts[1]]), strict=True):
        for number, bundle in enumerate(order):
            assert store.load(bundle).circuits == (sorted(circuits(bundle)) if number == 0 else [])
        assert store.digest() == digest_of([whole], tmp_path)
        assert stored(store) == recomputed(store)
        assert occurrences(store) == recomputed_occurrences(store)
        for circuit in circuits(whole):
            store.delete(circuit)
        assert store.run("MATCH (a:Ablation) RETURN count(a)").rows == [[0]]


@pytest.mark.parametrize(("table", "column"), [("CircuitNode", "observed_effect"), ("ATTRIBUTES_TO", "observed")])
def test_another_measurement_of_the_same_is_refused(
    store: Store, bundles: list[Bundle], tmp_path: Path, table: str, column: str
) -> None:
    store.load(bundles[0])
    digest = store.digest()
    tables = random_tables(1, n_features=5, n_edges=30, inputs=True)
    rows = tables[table].to_pylist()
    next(row for row in rows if row[column] is not None)[column] = 9.0
    tables[table] = pa.Table.from_pylist(rows, schema=TABLES[table].schema)
    with pytest.raises(BundleError, match="stored with other content"):
        store.load(write_bundle(tmp_path / "other", tables, {}))
    assert store.digest() == digest


def test_the_same_circuit_in_two_bundles_is_stored_once(store: Store, bundles: list[Bundle], tmp_path: Path) -> None:
    tables = random_tables(1, n_features=5, n_edges=30, inputs=True)
    more = [*tables["Task"].to_pylist(), {"uid": "task:more", "name": "more", "metric": "m", "n_pairs": 1,
                                          "sha256": "0" * 64}]  # fmt: skip
    tables["Task"] = pa.Table.from_pylist(more, schema=TABLES["Task"].schema)
    store.load(bundles[0])
    assert store.load(write_bundle(tmp_path / "more", tables, {})).circuits == []
    assert stored(store) == recomputed(store)


def test_a_node_of_another_circuit_is_refused_before_anything_is_written(
    store: Store, bundles: list[Bundle], tmp_path: Path
) -> None:
    store.load(bundles[0])
    digest = store.digest()
    taken = bundles[0].table("Ablation")["uid"][0].as_py()
    tables = random_tables(8, n_features=5)
    old = tables["Ablation"]["uid"][0].as_py()
    for name in filter(is_evidence, tables):
        column = "uid" if TABLES[name].is_node else "source"
        rows = [{**row, column: taken if row[column] == old else row[column]} for row in tables[name].to_pylist()]
        tables[name] = pa.Table.from_pylist(rows, schema=TABLES[name].schema)
    with pytest.raises(BundleError, match=f"the Ablation {taken} is stored already, in another circuit"):
        store.load(write_bundle(tmp_path / "b", tables, {}))
    assert store.digest() == digest
