"""The service answers in one shape, refuses in one shape, keeps its limits, and stays light."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from queries.catalogue import catalogue
from store.database import Rows, Store, open_store
from store.errors import LimitError, StoreError
from store.settings import StoreSettings
from tests.api.problems import problem
from tests.queries.loading import load_world, write_dense
from tests.queries.world import DENSE_END, circuit, described

CIRCUIT = circuit(0)["Circuit"][0]["uid"]
METRIC = circuit(0)["CircuitNode"][-1]["uid"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("served")
    with closing(open_store(f"ladybug:{folder / 'store.lbug'}")) as writable:
        load_world(writable, folder, range(4))
    with closing(open_store(f"ladybug:{folder / 'store.lbug'}", read_only=True)) as opened:
        yield opened


@pytest.fixture(scope="module")
def client(store: Store) -> Iterator[TestClient]:
    with TestClient(create_app(store, Settings()), raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize("name", [query.name for query in catalogue()])
def test_every_query_answers_its_example_in_the_one_shape(client: TestClient, store: Store, name: str) -> None:
    example = catalogue().example(store, name)
    response = client.get(f"/queries/{name}", params=example)
    assert response.status_code == 200, response.text
    body = response.json()
    assert list(body) == ["columns", "rows", "truncated"]
    assert body["columns"] == list(catalogue()[name].returns)
    rows = catalogue().run(store, name, example)
    assert [list(row.values()) for row in body["rows"]] == rows.rows


def test_resources_answer_in_the_same_shape(client: TestClient) -> None:
    circuits = client.get("/circuits", params={"aggregation": "prompt"}).json()
    assert {row["uid"] for row in circuits["rows"]} == {circuit(seed)["Circuit"][0]["uid"] for seed in (0, 2)}
    assert client.get(f"/circuits/{CIRCUIT}").json()["rows"][0]["uid"] == CIRCUIT
    (feature,) = client.get("/features/toy:blocks.1:1").json()["rows"]
    known = described(1, 1)
    assert {key: feature[key] for key in known} == known
    listed = client.get("/queries").json()
    assert [row["name"] for row in listed["rows"]] == [query.name for query in catalogue()]


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/nothing", 404, "there is nothing at /nothing: / links to what there is, /docs describes it"),
        ("/circuits/nothing", 404, "no Circuit 'nothing' is stored"),
        ("/circuits/nothing/graph", 404, "no Circuit 'nothing' is stored"),
        ("/features/nothing", 404, "no Feature 'nothing' is stored"),
        ("/circuits/a%20b", 400, "'a b' is not a uid"),
        ("/queries/upstream_path", 404, "did you mean upstream_paths"),
        ("/queries/upstream_paths", 400, "node is missing"),
        (f"/queries/upstream_paths?node={METRIC}&max_hops=11", 400, "'11' is not a whole number from 1 to 8"),
        (f"/queries/upstream_paths?node={METRIC}&max_hops=x", 400, "from 1 to 8"),
        (f"/queries/upstream_paths?node={METRIC}&nodes=x", 400, "did you mean node"),
        (f"/queries/upstream_paths?node={METRIC}&node={METRIC}", 400, "given twice"),
        ("/circuits?limit=0", 400, "from 1 to 10000"),
        (f"/circuits/{CIRCUIT}?uid=x", 400, "given twice"),
        (f"/circuits/{CIRCUIT}?circuit=x", 400, "it takes uid"),
    ],
)
def test_a_bad_request_gets_a_problem_document_that_names_it(
    client: TestClient, path: str, status: int, said: str
) -> None:
    assert said in problem(client.get(path), status)


def test_another_method_is_refused_with_what_is_allowed(client: TestClient) -> None:
    response = client.post("/circuits")
    assert problem(response, 405) == "POST can't be asked of /circuits: it takes GET"
    assert response.headers["allow"] == "GET"


@pytest.mark.parametrize("path", ["/", "/health", "/circuits", f"/circuits/{CIRCUIT}/graph", "/queries/circuits"])
def test_head_answers_as_get_does_without_the_body(client: TestClient, path: str) -> None:
    same_id = {"X-Request-ID": "one"}
    head, get = client.head(path, headers=same_id), client.get(path, headers=same_id)
    assert (head.status_code, head.headers, head.content) == (get.status_code, get.headers, b"")


def test_the_two_queries_of_a_graph_share_one_time_limit() -> None:
    class Slow:
        url, dialect = "ladybug:slow", "ladybug"

        def __init__(self) -> None:
            self.timeouts: list[float] = []

        def run(self, *_: object, timeout: float, **__: object) -> Rows:
            self.timeouts.append(timeout)
            time.sleep(0.2)
            return Rows(["uid", "size"], [["a", 1]], False)

        def version(self, *, max_age: float = 0) -> str:
            return "1"

    slow = Slow()
    with TestClient(create_app(slow, Settings(time_limit=1)), raise_server_exceptions=False) as client:  # type: ignore[arg-type]
        assert client.get("/circuits/c/graph").status_code == 200
    with TestClient(create_app(slow, Settings(time_limit=0.1)), raise_server_exceptions=False) as client:  # type: ignore[arg-type]
        assert "longer than 0.1 s" in problem(client.get("/circuits/c/graph"), 503)
    assert slow.timeouts[1] <= 0.8


class Broken:
    """A store that fails as told."""

    url = "ladybug:broken"
    dialect = "ladybug"

    def __init__(self, error: Exception) -> None:
        self.error = error

    def run(self, *_: object, **__: object) -> Rows:
        raise self.error

    def version(self, *, max_age: float = 0) -> str:
        return "1"


@pytest.mark.parametrize("error", [StoreError("the database went away"), LimitError("more than 10 s")])
def test_a_database_that_is_away_or_slow_is_a_503_that_says_when_to_come_back(error: Exception) -> None:
    app = create_app(Broken(error), Settings())  # type: ignore[arg-type]
    with TestClient(app, raise_server_exceptions=False) as client:
        for path in ("/ready", "/circuits", f"/circuits/{CIRCUIT}/graph", "/queries/recurring_features"):
            response = client.get(path)
            assert problem(response, 503) == str(error)
            assert int(response.headers["retry-after"]) > 0


def test_a_defect_is_a_500_that_tells_a_client_nothing_of_the_inside() -> None:
    app = create_app(Broken(RuntimeError("secret")), Settings())  # type: ignore[arg-type]
    with TestClient(app, raise_server_exceptions=False) as client:
        response = client.get("/circuits")
        assert "secret" not in problem(response, 500)
        assert response.headers["x-content-type-options"] == "nosniff"


def test_the_row_limit_cuts_an_answer_and_says_so(store: Store) -> None:
    with TestClient(create_app(store, Settings(row_limit=2))) as client:
        body = client.get("/queries/top_nodes", params={"circuit": CIRCUIT}).json()
    assert len(body["rows"]) == 2
    assert body["truncated"] is True


@pytest.mark.parametrize(("memory", "why"), [(1024, "longer than 0.5 s"), (64, "the memory for LadybugDB is full")])
def test_a_query_without_end_is_stopped_says_how_to_ask_for_less_and_the_next_is_answered(
    tmp_path: Path, memory: int, why: str
) -> None:
    url = f"ladybug:{tmp_path / 'store.lbug'}"
    with closing(open_store(url)) as store:
        store.load(write_dense(tmp_path / "dense"))
    with closing(open_store(url, read_only=True, settings=StoreSettings(ladybug_memory=memory))) as store:
        app = create_app(store, Settings(time_limit=0.5 if memory > 64 else 20, hop_limit=12))
        with TestClient(app, raise_server_exceptions=False) as client:
            endless: dict[str, str | int] = {"node": DENSE_END, "max_hops": 12, "min_weight": 0}
            started = time.monotonic()
            said = problem(client.get("/queries/upstream_paths", params=endless), 503)
            assert why in said
            assert said.endswith("ask for less, by a larger min_weight or a smaller max_hops")
            assert time.monotonic() - started < 5
            assert client.get("/queries/upstream_paths", params={**endless, "max_hops": 2}).status_code == 200


def test_the_index_links_only_to_what_is_there(client: TestClient) -> None:
    links = client.get("/").json()["links"]
    for path in links.values():
        if "{" not in path:
            assert client.get(path).status_code == 200, path


def test_alive_is_not_ready(client: TestClient) -> None:
    assert client.get("/ready").json() == {"status": "ready", "store": "ladybug"}
    with TestClient(create_app(Broken(StoreError("away")), Settings()), raise_server_exceptions=False) as broken:  # type: ignore[arg-type]
        assert broken.get("/health").json()["status"] == "ok"
        assert problem(broken.get("/ready"), 503) == "away"


def test_the_service_never_imports_torch() -> None:
    code = (
        "import sys, api.server; print([m for m in ('torch', 'transformers', 'ingest', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "torch" not in done.stdout
    assert "ingest" not in done.stdout


def test_the_documentation_page_fetches_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/docs").text
    sources = re.findall(r'(?:src|href|url)\s*[=:]\s*["\']([^"\']+)', page)
    assert sources
    assert all(source.startswith("/") and client.get(source).status_code == 200 for source in sources)
