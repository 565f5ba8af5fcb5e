"""Free Cypher over HTTP, and clients that go away, on a service as it is run."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pyarrow as pa
import pytest

from store.database import open_store
from tests.conftest import empty_store
from tests.queries.loading import load_world, write_dense
from tests.queries.world import DENSE_END
from tests.store.corpus import statements

ENDLESS = "UNWIND range(1, 1000000) AS a UNWIND range(1, 1000000) AS b RETURN count(*) AS n"


@contextmanager
def served(url: str, **settings: str) -> Iterator[httpx.Client]:
    """The program itself, in a process of its own, as a client sees it."""
    environment = {**os.environ, "CIRCUITSTORE_STORE": url, "CIRCUITSTORE_CYPHER": "true", "CIRCUITSTORE_HOSTS": ""}
    environment |= {f"CIRCUITSTORE_{name.upper()}": value for name, value in settings.items()}
    program = Path(__file__).parents[2] / "circuitstore.py"
    with subprocess.Popen(
        [sys.executable, str(program), "serve", "--port", "0"], env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr
            for line in process.stderr:
                if "serving" in line:
                    break
            address = line.split(" at ")[1].split()[0]
            with httpx.Client(base_url=address, timeout=60) as client:
                yield client
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate()


@pytest.fixture(scope="module", params=["ladybug", "neo4j"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("asked")
    found = empty_store(request, folder)
    with closing(open_store(found)) as store:
        load_world(store, folder, range(2))
        store.load(write_dense(folder / "dense"))
    return found


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[httpx.Client]:
    with served(url, time_limit="60", hop_limit="12") as client:
        yield client


def ask(client: httpx.Client, text: str, **params: object) -> httpx.Response:
    return client.post("/cypher", json={"text": text, "params": params})


def test_a_statement_answers_in_the_one_shape(client: httpx.Client) -> None:
    response = ask(client, "UNWIND $l AS x RETURN x AS x, x * $k AS y", l=[1, 2], k=3)
    assert response.json() == {"columns": ["x", "y"], "rows": [{"x": 1, "y": 3}, {"x": 2, "y": 6}], "truncated": False}
    for text in statements("harmless")[:20]:
        assert ask(client, text, uid="x", uids=[]).status_code == 200


def test_an_answer_can_be_had_in_every_form_and_in_no_other(client: httpx.Client) -> None:
    body = {"text": "UNWIND [1, 2] AS x RETURN x AS x, 'a' AS y"}
    forms = {"csv": "x,y\n1,a\n2,a\n", "ndjson": '{"x":1,"y":"a"}\n{"x":2,"y":"a"}\n'}
    for form, text in forms.items():
        assert client.post("/cypher", params={"format": form}, json=body).text == text
    assert client.post("/cypher", headers={"Accept": "text/csv"}, json=body).text == forms["csv"]
    arrow = client.post("/cypher", params={"format": "arrow"}, json=body)
    assert pa.ipc.open_stream(arrow.content).read_all().to_pylist() == [{"x": 1, "y": "a"}, {"x": 2, "y": "a"}]
    for asked in ({"params": {"format": "xml"}}, {"headers": {"Accept": "text/html"}}):
        response = client.post("/cypher", json=body, **asked)  # type: ignore[arg-type]
        assert response.status_code == 406
        assert "there are application/json" in response.json()["detail"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"text": "CREATE (n)"}, "can't begin with CREATE"),
        ({"text": "MATCH (n) SET n.uid = 'x'"}, "would change what is stored"),
        ({"text": "MATCH (n) RETURN nobody"}, "refused"),
        ({"text": "RETURN $n"}, "no value is given for $n"),
        ({"text": ""}, "is empty"),
        ({}, "body.text"),
        ({"text": 1}, "body.text"),
        ({"text": "RETURN 1", "other": 1}, "body.other"),
        ({"text": "RETURN 1", "params": []}, "body.params"),
        ({"text": "RETURN '" + "x" * 30_000 + "'"}, "body.text"),
    ],
)
def test_what_is_refused_is_a_problem_that_names_it(client: httpx.Client, body: dict[str, Any], said: str) -> None:
    response = client.post("/cypher", json=body)
    assert response.status_code == 400, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert said in response.json()["detail"]


def test_what_takes_too_long_or_too_much_is_a_503_and_the_next_is_answered(url: str) -> None:
    with served(url, time_limit="1", cypher_memory="256") as client:
        for text in (
            ENDLESS,
            "RETURN range(1, 1000000000) AS x",
            "MATCH (a), (b), (c), (d) RETURN collect([a, b, c, d])",
        ):
            response = ask(client, text)
            assert response.status_code == 503, response.text
            assert int(response.headers["retry-after"]) > 0
            assert ask(client, "RETURN 1 AS one").json()["rows"] == [{"one": 1}]


def processes_below(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_service_that_is_killed_leaves_no_process_behind(tmp_path: Path) -> None:
    with closing(open_store(f"ladybug:{tmp_path}/store.lbug")) as store:
        load_world(store, tmp_path, range(1))
    before = set(processes_below(os.getpid()))
    with served(f"ladybug:{tmp_path}/store.lbug") as client:
        ask(client, "RETURN 1 AS one")
        (service,) = set(processes_below(os.getpid())) - before
        children = [child for one in Path(f"/proc/{service}/task").iterdir() for child in _children(one)]
        assert len(children) == 1
        os.kill(service, signal.SIGKILL)
        wait_until(lambda: not Path(f"/proc/{children[0]}").exists())


def _children(task: Path) -> list[int]:
    return [int(child) for child in (task / "children").read_text().split()]


def wait_until(it_is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not it_is_so():
        assert time.monotonic() < until
        time.sleep(0.1)


def go_away_from(client: httpx.Client, method: str, path: str, body: bytes = b"") -> None:
    """Ask, wait for a moment, and close the connection."""
    host, port = client.base_url.host, client.base_url.port
    assert port
    head = f"{method} {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
    with socket.create_connection((host, port)) as connection:
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        time.sleep(1.5)


def test_a_client_that_goes_away_stops_its_statement(client: httpx.Client) -> None:
    """Both places are taken, and free again long before the time limit."""
    for _ in range(4):
        go_away_from(client, "POST", "/cypher", b'{"text": "%s"}' % ENDLESS.encode())
    wait_until(lambda: ask(client, "RETURN 1 AS one").status_code == 200)


def test_a_client_that_goes_away_stops_a_query_of_the_catalogue(client: httpx.Client, url: str) -> None:
    """As the database sees it (Neo4j), or as the processor does (LadybugDB is in the service)."""
    path = f"/queries/upstream_paths?node={DENSE_END}&max_hops=12&min_weight=0"
    go_away_from(client, "GET", path)
    if url.startswith("ladybug"):
        time.sleep(2)
        assert _processor_seconds(_serving(client), during=2) < 1
    else:
        running = "SHOW TRANSACTIONS YIELD currentQuery AS q WHERE q STARTS WITH 'MATCH p' RETURN q"
        with closing(open_store(url, read_only=True)) as store:
            wait_until(lambda: not store.run(running).rows)


def _serving(client: httpx.Client) -> int:
    """The process of the service, by the port at which it listens: the tests may run others."""
    (service,) = [
        pid
        for pid in processes_below(os.getpid())
        if any(at.laddr and at.laddr.port == client.base_url.port for at in psutil.Process(pid).net_connections())
    ]
    return service


def _processor_seconds(pid: int, during: float) -> float:
    def used() -> float:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    before = used()
    time.sleep(during)
    return used() - before
