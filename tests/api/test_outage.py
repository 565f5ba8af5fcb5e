"""The database goes away and comes back: the service says so, and needs no restart."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from store.database import open_store
from store.errors import StoreError
from store.server.jars import jars
from store.server.java import java
from store.server.neo4j import Server, running
from tests.api.conftest import fill, serving
from tests.api.problems import problem
from tests.conftest import no_skip_in_ci

PASSWORD = "circuitstore-outage"
PATHS = ["/circuits", "/queries/runs", "/ready"]


@pytest.fixture(scope="module")
def neo4j_that_stops(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Stoppable"]:
    try:
        java()
        jars()
    except StoreError as reason:
        no_skip_in_ci(str(reason))
    stoppable = Stoppable(tmp_path_factory.mktemp("stopped") / "neo4j")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CIRCUITSTORE_NEO4J_USER", "neo4j")
        patch.setenv("CIRCUITSTORE_NEO4J_PASSWORD", PASSWORD)
        stoppable.start()
        yield stoppable
        stoppable.stop()


class Stoppable:
    """A Neo4j of its own, at one port, that can be stopped and started again."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._running = ExitStack()
        self._ports = (0, 0)
        self.url = ""

    def start(self) -> None:
        server: Server = self._running.enter_context(running(self._home, password=PASSWORD, ports=self._ports))
        assert self.url in ("", server.url)
        self.url, self._ports = server.url, (server.bolt_port, server.http_port)

    def stop(self) -> None:
        self._running.close()


def test_while_neo4j_is_away_every_answer_is_a_503_and_all_is_well_once_it_is_back(
    neo4j_that_stops: Stoppable, tmp_path: Path
) -> None:
    fill(neo4j_that_stops.url, tmp_path)
    with open_store(neo4j_that_stops.url, read_only=True) as store, serving(store) as client:
        before = {path: client.get(path) for path in PATHS}
        assert {answer.status_code for answer in before.values()} == {200}
        neo4j_that_stops.stop()
        for path in PATHS:
            started = time.monotonic()
            response = client.get(path)
            assert "no Neo4j answers" in problem(response, 503)
            assert int(response.headers["retry-after"]) > 0
            assert time.monotonic() - started < 15
        assert client.get("/health").status_code == 200
        assert client.get("/openapi.json").status_code == 200
        neo4j_that_stops.start()
        for path in PATHS:
            after = client.get(path)
            assert after.json() == before[path].json()
            assert after.headers.get("etag") == before[path].headers.get("etag")


def test_a_stop_in_the_middle_of_requests_breaks_none_of_them(neo4j_that_stops: Stoppable, tmp_path: Path) -> None:
    """Each is answered, or refused as 503 that says when to come back."""
    from threading import Event, Thread

    fill(neo4j_that_stops.url, tmp_path)
    with open_store(neo4j_that_stops.url, read_only=True) as store, serving(store) as client:
        statuses: list[int] = []
        over = Event()

        def ask() -> None:
            while not over.is_set():
                statuses.append(client.get("/queries/recurring_edges").status_code)

        threads = [Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        while not statuses:
            time.sleep(0.1)
        neo4j_that_stops.stop()
        time.sleep(1)
        over.set()
        for thread in threads:
            thread.join()
    assert set(statuses) == {200, 503}
