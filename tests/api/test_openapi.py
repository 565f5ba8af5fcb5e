"""The OpenAPI document: what it says of every operation, and that its examples run."""

import re
import shlex
from typing import Any

import pytest
from fastapi.testclient import TestClient
from jsonschema_rs import validator_for

from api.settings import Settings
from queries.catalogue import catalogue
from queries.resources import RESOURCES
from store.database import Store
from tests.api.conftest import serving


@pytest.fixture(scope="module")
def document(served: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = served.get("/openapi.json").json()
    return found


def test_every_query_has_typed_parameters_and_columns(document: dict[str, Any]) -> None:
    for query in catalogue():
        operation = document["paths"][f"/queries/{query.name}"]["get"]
        assert operation["summary"] == query.summary
        assert [p["name"] for p in operation["parameters"]] == [*query.params, "format"]
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        assert list(schema["properties"]["rows"]["items"]["properties"]) == list(query.returns)


@pytest.mark.parametrize("hop_limit", [3, 8])
def test_the_limit_on_hops_that_is_in_force_is_the_one_that_is_told(world: Store, hop_limit: int) -> None:
    with serving(world, Settings(hop_limit=hop_limit)) as client:
        paths = client.get("/openapi.json").json()["paths"]
        for path, name in (("/queries/upstream_paths", "max_hops"), ("/circuits/{circuit}/graph", "hops")):
            (schema,) = [p["schema"] for p in paths[path]["get"]["parameters"] if p["name"] == name]
            assert schema["maximum"] == hop_limit
            assert schema["default"] <= hop_limit
        (query,) = [row for row in client.get("/queries").json()["rows"] if row["name"] == "upstream_paths"]
        assert {p["name"]: p["max"] for p in query["params"]}["max_hops"] == hop_limit


def test_every_resource_has_a_list_and_one_with_the_schemas_columns(document: dict[str, Any]) -> None:
    for resource in RESOURCES.values():
        operation = document["paths"][f"/{resource.name}"]["get"]
        assert [p["name"] for p in operation["parameters"]] == [*resource.params, "format"]
        for path in (f"/{resource.name}", f"/{resource.name}/{{uid}}"):
            content = document["paths"][path]["get"]["responses"]["200"]["content"]
            columns = content["application/json"]["schema"]["properties"]["rows"]["items"]["properties"]
            assert list(columns) == [*resource.returns, "links"]
            assert len(content) == 4


def test_every_operation_has_an_example_that_this_store_answers_as_the_schema_says(
    served: TestClient, document: dict[str, Any]
) -> None:
    for path, methods in document["paths"].items():
        operation = methods["get"]
        names = [(p["name"], p["in"]) for p in operation.get("parameters", [])]
        assert len(names) == len(set(names)), path
        (sample,) = operation["x-codeSamples"]
        program, url = shlex.split(sample["source"])
        assert program == "curl"
        answer = served.get(url.removeprefix("http://127.0.0.1:8000"))
        assert answer.status_code == 200, (path, answer.text)
        kind = answer.headers["content-type"].partition(";")[0]
        schema = operation["responses"]["200"]["content"][kind].get("schema")
        if kind == "application/json" and schema:
            validator_for(schema).validate(answer.json())


def test_nothing_of_how_it_is_made_stands_in_it(document: dict[str, Any]) -> None:
    assert not re.search(r"x-query|x-resource", str(document))


def test_examples_follow_what_is_stored(store: Store) -> None:
    """An empty store has none; what is loaded later has."""
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from tests.queries.loading import write
    from tests.queries.world import circuit

    with serving(store) as client:
        path = "/circuits/{uid}"

        def sample() -> str:
            found: str = client.get("/openapi.json").json()["paths"][path]["get"]["x-codeSamples"][0]["source"]
            return found

        assert sample().endswith("/circuits/UID'")
        with TemporaryDirectory() as folder:
            store.load(write(Path(folder) / "bundle", circuit(0)))
        assert sample().endswith(f"/circuits/{circuit(0)['Circuit'][0]['uid']}'")
