"""Matches of two dictionaries are replaced, never mixed."""

from pathlib import Path
from unittest.mock import Mock

import pyarrow as pa
import pytest

from store.bundle import Bundle, write_bundle
from store.database import Store, open_store
from store.errors import BundleError, NotFoundError
from store.neo4j import Neo4jStore
from store.schema import TABLES
from tests.graphs import random_bundle, random_tables

PAIRS = [tuple(f"toy-model:blocks.{layer}.hook_resid_post" for layer in (n, n + 1)) for n in range(3)]


def matches(folder: Path, params: str, score: float) -> Bundle:
    """What features there are and how they match, by the settings `params`: every score is multiplied."""
    tables = random_tables(4, n_features=5, n_circuits=0, analyses=True)
    for name, changed in (("MATCHED", {"params": params}), ("MATCHES", {})):
        rows = [row | changed for row in tables[name].to_pylist()]
        if name == "MATCHES":
            rows = [row | {"score": score * row["score"]} for row in rows]
        tables[name] = pa.Table.from_pylist(rows, schema=TABLES[name].schema)
    return write_bundle(folder, tables, {})


def digest_of(bundles: list[Bundle], tmp_path: Path) -> str:
    with open_store(f"ladybug:{tmp_path / 'reference.lbug'}") as store:
        for bundle in bundles:
            store.load(bundle)
        return store.digest()


def test_matches_of_other_settings_are_refused_and_loaded_when_the_stored_ones_are_gone(
    store: Store, tmp_path: Path
) -> None:
    circuits = random_bundle(tmp_path / "circuits", 1, n_features=5)
    old, new = matches(tmp_path / "old", "few", 1.0), matches(tmp_path / "new", "many", 0.5)
    store.load(circuits)
    store.load(old)
    digest = store.digest()
    first = " ".join(PAIRS[0])
    with pytest.raises(BundleError, match=f"matched by cosine with other settings: .*delete --matches {first}` first"):
        store.load(new)
    assert store.digest() == digest
    for pair in PAIRS:
        store.delete_matches(*pair)
    for bundle in (new, circuits):  # of which nothing is known any more, and all is there
        assert not store.load(bundle).circuits
    assert store.digest() == digest_of([circuits, new], tmp_path)


def test_until_a_delete_that_was_interrupted_is_done_other_matches_are_refused(
    empty_neo4j_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = matches(tmp_path / "old", "few", 1.0), matches(tmp_path / "new", "many", 0.5)
    with open_store(empty_neo4j_url) as store:
        store.load(old)
        with monkeypatch.context() as patch:
            patch.setattr(Neo4jStore, "_repeat", Mock(side_effect=KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                store.delete_matches(*PAIRS[0])
        with pytest.raises(BundleError, match="with other settings"):
            store.load(new)
        for pair in PAIRS:
            store.delete_matches(*pair)
        store.load(new)
        assert store.digest() == digest_of([new], tmp_path)


def test_the_matches_of_one_pair_go_and_may_come_back(store: Store, tmp_path: Path) -> None:
    bundle = matches(tmp_path / "b", "few", 1.0)
    store.load(bundle)
    digest = store.digest()
    store.delete_matches(*PAIRS[1])
    left = store.run("MATCH (a:Dictionary)-[:MATCHED]->(b:Dictionary) RETURN a.uid, b.uid ORDER BY a.uid").rows
    assert [tuple(row) for row in left] == [PAIRS[0], PAIRS[2]]
    found = store.run("MATCH (f:Feature)-[:MATCHES]->(:Feature) RETURN DISTINCT f.layer ORDER BY f.layer").rows
    assert found == [[0], [2]]
    assert not store.load(bundle).already
    assert store.digest() == digest


def test_deleting_matches_that_are_not_stored_says_so_and_changes_nothing(store: Store, tmp_path: Path) -> None:
    bundle = matches(tmp_path / "b", "few", 1.0)
    store.load(bundle)
    digest = store.digest()
    with pytest.raises(NotFoundError, match=f"no matches of '{PAIRS[0][1]}' with '{PAIRS[0][0]}' are stored"):
        store.delete_matches(*reversed(PAIRS[0]))
    assert store.digest() == digest
    assert store.load(bundle).already
