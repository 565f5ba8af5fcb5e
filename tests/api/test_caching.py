"""An ETag changes exactly when the answer may: with the store, the request, its form."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from store.database import Store
from tests.api.conftest import SEEDS, serving
from tests.queries.loading import load_world, write
from tests.queries.world import circuit

CIRCUIT = circuit(0)["Circuit"][0]["uid"]
PATHS = ["/circuits", f"/circuits/{CIRCUIT}", f"/circuits/{CIRCUIT}/graph", "/queries/runs", "/features?format=csv"]


@pytest.mark.parametrize("path", PATHS)
def test_who_has_the_answer_is_told_so_and_nothing_else(served: TestClient, path: str) -> None:
    first = served.get(path)
    tag = first.headers["etag"]
    assert served.get(path).headers["etag"] == tag
    for held in (tag, tag.removeprefix("W/"), f'"other", {tag}'):
        again = served.get(path, headers={"If-None-Match": held})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert served.get(path, headers={"If-None-Match": '"other"'}).content == first.content


def test_another_request_has_another_tag(served: TestClient) -> None:
    paths = ["/circuits", "/circuits?limit=2", "/circuits?format=csv", "/tasks", f"/circuits/{CIRCUIT}"]
    tags = [served.get(path).headers["etag"] for path in paths]
    tags.append(served.get("/circuits", headers={"Accept": "text/csv"}).headers["etag"])
    assert len(set(tags)) == len(tags)


@pytest.mark.parametrize("path", ["/circuits/none", "/circuits?limit=0", "/circuits?format=xml"])
def test_what_is_refused_has_no_tag(served: TestClient, path: str) -> None:
    assert "etag" not in served.get(path).headers


def test_every_load_and_delete_changes_the_tag(store: Store, tmp_path: Path) -> None:
    """Also where a delete leaves the bundles that are noted as they were: the circuit's is gone already."""
    first, second = (circuit(seed) for seed in (0, 1))
    joined = {
        name: first.get(name, []) + [row for row in second.get(name, []) if row not in first.get(name, [])]
        for name in {*first, *second}
    }
    with serving(store) as client:

        def tag() -> str:
            response = client.get("/circuits")
            assert client.get("/circuits", headers={"If-None-Match": response.headers["etag"]}).status_code == 304
            return response.headers["etag"]

        tags = [tag()]
        store.load(write(tmp_path / "joined", joined))
        tags.append(tag())
        for deleted in (first, second):
            store.delete(deleted["Circuit"][0]["uid"])
            tags.append(tag())
        store.load(write(tmp_path / "one", first))
        tags.append(tag())
        assert len(set(tags)) == len(tags)


def test_a_store_that_another_process_writes_is_seen_to_change(store_url: str, tmp_path: Path) -> None:
    from store.database import open_store

    with open_store(store_url) as writer:
        load_world(writer, tmp_path, SEEDS)
    with open_store(store_url, read_only=True) as reader, serving(reader) as client:
        before = client.get("/circuits").headers["etag"]
        with open_store(store_url) as writer:
            writer.delete(CIRCUIT)
        after = client.get("/circuits", headers={"If-None-Match": before})
        assert after.status_code == 200
        assert CIRCUIT not in after.text


def test_the_same_bundles_loaded_in_the_same_order_have_the_same_tag(tmp_path: Path) -> None:
    from store.database import open_store

    tags = set()
    for name in ("a", "b"):
        with open_store(f"ladybug:{tmp_path}/{name}.lbug") as opened, serving(opened) as client:
            opened.load(write(tmp_path / f"bundle-{name}", circuit(0)))
            tags.add(client.get("/circuits").headers["etag"])
    assert len(tags) == 1
