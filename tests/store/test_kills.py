"""A load or a delete that is killed anywhere goes on to where an undisturbed one ends."""

import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import store.neo4j as adapter
from store.bundle import Bundle
from store.database import Store, open_store
from store.errors import StoreError
from tests.graphs import random_bundle
from tests.store import kills

KILLS = 6


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return random_bundle(tmp_path_factory.mktemp("bundle") / "b", n_nodes=80, n_edges=250, n_features=20)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """What is stored already: other circuits of the same features."""
    return random_bundle(tmp_path_factory.mktemp("bundle") / "b", 9, n_nodes=60, n_edges=100, n_features=20)


def undisturbed(bundles: list[Bundle], tmp_path: Path) -> str:
    with open_store(f"ladybug:{tmp_path / 'undisturbed.lbug'}") as store:
        for bundle in bundles:
            store.load(bundle)
        return store.digest()


def test_a_load_killed_anywhere_resumes_to_the_same_digest(
    store_url: str, bundle: Bundle, before: Bundle, tmp_path: Path
) -> None:
    wanted = undisturbed([before, bundle], tmp_path)
    circuits = bundle.table("Circuit")["uid"].to_pylist()
    with open_store(store_url) as store:
        store.load(before)
    for _ in range(2):  # a server's first load is several times as slow as the ones to be killed
        full = kills.undisturbed("load", store_url, bundle.path)
        with open_store(store_url) as store:
            for circuit in circuits:
                store.delete(circuit)
            base = store.digest()
    rng = random.Random(1)
    fallen = 0
    while fallen < KILLS:
        done = kills.killed("load", store_url, bundle.path, rng.uniform(0, 1.1 * full))
        fallen += not done
        with open_store(store_url) as store:
            found = store.run("MATCH (c:Circuit) RETURN count(c) AS n").rows[0][0]
            assert found in (2, 4), "a circuit shows all or not at all"
            if done or rng.random() < 0.5:  # else the next try goes on from here
                store.load(bundle)
                assert store.digest() == wanted
                for circuit in circuits:
                    store.delete(circuit)
                assert store.digest() == base


def test_a_delete_killed_anywhere_goes_on(store_url: str, bundle: Bundle, before: Bundle, tmp_path: Path) -> None:
    wanted = undisturbed([before, bundle], tmp_path)
    victim = bundle.table("Circuit")["uid"][0].as_py()
    with open_store(store_url) as store:
        store.load(before)
        store.load(bundle)
    full = kills.undisturbed("delete", store_url, victim)
    with open_store(store_url) as store:
        without = store.digest()
    rng = random.Random(2)
    for _ in range(KILLS // 2):
        with open_store(store_url) as store:
            store.load(bundle)
            assert store.digest() == wanted
        kills.killed("delete", store_url, victim, rng.uniform(0, full))
        with open_store(store_url) as store:
            if store.run("MATCH (c:Circuit {uid: $uid}) RETURN c.uid", {"uid": victim}).rows:
                store.delete(victim)
            store.load(before)  # whatever writes next first ends what was begun
            if store.dialect == "neo4j":
                store._finish_deletes()  # type: ignore[attr-defined]
            assert store.digest() == without


def test_a_store_with_half_a_load_tells_so(empty_neo4j_url: str, bundle: Bundle, before: Bundle) -> None:
    with open_store(empty_neo4j_url) as store:
        store.load(before)
        circuit = before.table("Circuit")["uid"][0].as_py()
        store._begin(bundle)  # type: ignore[attr-defined]
        with pytest.raises(StoreError, match="is not finished: load it again, or `circuitstore delete"):
            store.digest()
        with pytest.raises(StoreError, match="is not finished: load it again, or `circuitstore delete"):
            store.delete(circuit)
        store.load(bundle)
        store.delete(circuit)
        store.digest()


@pytest.mark.parametrize("parts", range(0, 60, 4))
def test_a_load_that_stopped_anywhere_can_be_given_up(
    empty_neo4j_url: str, bundle: Bundle, before: Bundle, parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "BATCH", kills.BATCH)
    with open_store(empty_neo4j_url) as store:
        store.load(before)
        digest = store.digest()
        _stop_after(store, bundle, parts, monkeypatch)
        store.delete(bundle.table("Circuit")["uid"][1].as_py())
        assert store.digest() == digest
        assert store.run("MATCH (n) WHERE n:Loading OR n:Deleting RETURN n").rows == []
        store.load(bundle)
        for circuit in bundle.table("Circuit")["uid"].to_pylist():
            store.delete(circuit)
        assert store.digest() == digest


def test_of_two_loads_that_stopped_each_can_be_given_up(
    empty_neo4j_url: str, bundle: Bundle, before: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_store(empty_neo4j_url) as store:
        empty = store.digest()
        for each in (bundle, before):
            _stop_after(store, each, 9, monkeypatch)
        with pytest.raises(StoreError, match=f"is given up; .* the load of bundle {before.uid}"):
            store.delete(bundle.uid)
        store.delete(before.uid)
        assert store.digest() == empty


def _stop_after(store: Store, bundle: Bundle, parts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin a load that ends after some transactions, or before its last."""
    left = iter(range(parts))
    store_part = adapter.Neo4jStore._store_part

    def some(*given: Any) -> Any:
        if next(left, None) is None:
            raise InterruptedError
        return store_part(*given)

    with monkeypatch.context() as patch:
        patch.setattr(adapter.Neo4jStore, "_store_part", some)
        patch.setattr(adapter, "_finish_load", lambda *_: None)
        with suppress(InterruptedError):
            store.load(bundle)
