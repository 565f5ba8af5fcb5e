"""What is sent over HTTP is stored as if it had been loaded here, or refused by name, and nothing of it is left."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from api.jobs.job import MEANINGS
from api.keys import Keys
from api.settings import Settings
from store.bundle import Bundle, open_bundle
from store.database import Store, open_store
from store.errors import AwayError, UsageError
from tests.api.conftest import serving
from tests.api.problems import problem
from tests.ingest.formats.archives import archive, archive_of
from tests.ingest.formats.graphs import error, feature, graph, node
from tests.queries.loading import write_world

GRAPH = json.dumps(
    graph(
        [feature(0, 4, 1), feature(1, 5, 2), error(0, 1), node("3_7_2", "3", 2, "logit", feature=7, token_prob=0.5)],
        [("0_4_1", "1_5_2", 0.5), ("1_5_2", "3_7_2", 0.25)],
    )
).encode()

PATIENT = {"wait": 60}


@pytest.fixture
def bundles(tmp_path: Path) -> list[Bundle]:
    return [open_bundle(path) for path in write_world(tmp_path / "sent", range(2))]


@contextmanager
def taking(store: Store, folder: Path, **settings: Any) -> Iterator[TestClient]:
    """A service that takes uploads."""
    with serving(store, Settings(uploads=True, jobs=folder / "jobs", **settings)) as client:
        yield client


def only(response: Any, status: int = 201) -> dict[str, Any]:
    assert response.status_code == status, response.text
    (row,) = response.json()["rows"]
    assert list(row) == list(MEANINGS)
    found: dict[str, Any] = row
    return found


def until(wanted: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not wanted():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def left_in(folder: Path) -> list[str]:
    """What jobs leave on the disk beside their records."""
    return [str(path) for path in (folder / "jobs").glob("*/*/*") if path.name != "job.json"]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_bundles_that_are_sent_are_stored_as_if_loaded(
    store: Store, bundles: list[Bundle], tmp_path: Path, mode: str
) -> None:
    with taking(store, tmp_path) as client:
        assert client.get("/circuits").json()["rows"] == []
        sent = archive(tmp_path / "sent", mode, **{"sent/plots/a.png": b"picture"})
        response = client.post("/bundles", content=sent, params={"file": "mine.tar", "wait": 60})
        job = only(response)
        assert (job["state"], job["file"], job["kind"], job["error"]) == ("done", "mine.tar", "bundles", None)
        assert [one["uid"] for one in job["bundles"]] == [bundle.uid for bundle in bundles]
        assert [one["already"] for one in job["bundles"]] == [False, False]
        assert len(client.get("/circuits").json()["rows"]) == 2
        assert only(client.get(response.headers["location"]), 200) == job
        again = only(client.post("/bundles", content=sent, params=PATIENT))
        assert [one["already"] for one in again["bundles"]] == [True, True]
        assert [row["uid"] for row in client.get("/jobs").json()["rows"]] == [again["uid"], job["uid"]]
    assert left_in(tmp_path) == []
    with open_store(f"ladybug:{tmp_path}/other.lbug") as other:
        for bundle in bundles:
            other.load(bundle)
        assert store.digest() == other.digest()


def test_a_file_of_another_tool_is_imported(store: Store, tmp_path: Path) -> None:
    with taking(store, tmp_path) as client:
        job = only(client.post("/imports", content=GRAPH, params={"file": "graph.json", "wait": 60}))
        assert job["state"] == "done"
        (circuit,) = client.get("/circuits").json()["rows"]
        assert job["bundles"][0]["circuits"] == [circuit["uid"]]
    assert left_in(tmp_path) == []


BAD = [
    (b"", "bundles.tar: the file is empty"),
    (b"<html>" * 500, "bundles.tar is no tar archive"),
    (archive_of({"manifest.json": b'{"format": "circuitstore bundle", "schema_version": 1}'}), "has schema version 1"),
]


@pytest.mark.parametrize(("sent", "why"), BAD)
def test_what_is_no_bundle_is_refused_and_leaves_nothing(
    sent: bytes, why: str, tmp_path: Path, bundles: list[Bundle]
) -> None:
    with open_store(f"ladybug:{tmp_path}/store.lbug") as store, taking(store, tmp_path) as client:
        told = problem(client.post("/bundles", content=sent, params=PATIENT), 400)
        assert why in told
        assert told.startswith("bundles.tar")
        assert str(tmp_path) not in told
        (job,) = client.get("/jobs").json()["rows"]
        assert (job["state"], job["error"]) == ("failed", told)
        assert client.get("/circuits").json()["rows"] == []
        assert left_in(tmp_path) == []
        assert only(client.post("/bundles", content=archive(bundles[1].path), params=PATIENT))["state"] == "done"


@pytest.mark.parametrize(
    ("content", "params", "why"),
    [
        (b"", {}, "upload.json: the file is empty"),
        (GRAPH[:-20], {"file": "cut.json"}, "cut.json: byte"),
        (
            GRAPH,
            {"format": "xml"},
            "format: 'xml' can't be read; there are attribution-graph, mib, feature-circuits, graphml, bundles",
        ),
        (b"nothing known", {}, "; name one with format"),
        (b"[" * 100_000, {"format": "graphml"}, "upload.json: "),
        (GRAPH, {"file": "../x.json"}, "file: '../x.json' is no file name"),
        (GRAPH, {"file": "-"}, "file: '-' is no file name"),
        (GRAPH, {"wait": "long"}, "query.wait: Input should be a valid number"),
    ],
)
def test_what_can_not_be_imported_is_refused_by_name_and_place(
    content: bytes, params: dict[str, str], why: str, tmp_path: Path
) -> None:
    with open_store(f"ladybug:{tmp_path}/store.lbug") as store, taking(store, tmp_path) as client:
        told = problem(client.post("/imports", content=content, params={"wait": "60", **params}), 400)
        assert why in told
        assert str(tmp_path) not in told
        assert client.get("/circuits").json()["rows"] == []
        assert left_in(tmp_path) == []


def test_a_form_is_refused_with_how_to_send_a_file(tmp_path: Path) -> None:
    with open_store(f"ladybug:{tmp_path}/store.lbug") as store, taking(store, tmp_path) as client:
        for path in ("/imports", "/bundles"):
            assert "curl -T FILE" in problem(client.post(path, files={"file": ("graph.json", GRAPH)}), 415)
        assert client.get("/jobs").json()["rows"] == []


def test_more_than_the_limit_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with open_store(f"ladybug:{tmp_path}/store.lbug") as store, taking(store, tmp_path, upload_limit=1) as client:

        def endless() -> Iterator[bytes]:
            yield from (bytes(2**16) for _ in range(20))

        for content in (bytes(2**20 + 1), endless()):
            assert "1048576 bytes" in problem(client.post("/bundles", content=content), 413)
        assert client.get("/jobs").json()["rows"] == []
        assert list((tmp_path / "jobs").glob("*/*")) == []


def test_uploads_are_off_unless_turned_on(tmp_path: Path) -> None:
    with open_store(f"ladybug:{tmp_path}/store.lbug") as store, serving(store) as client:
        for method, path in (("POST", "/bundles"), ("POST", "/imports"), ("GET", "/jobs"), ("DELETE", "/jobs/x")):
            assert problem(client.request(method, path), 403).endswith("CIRCUITSTORE_UPLOADS=true turns it on")
        assert "/bundles" not in client.get("/openapi.json").json()["paths"]


def test_sending_takes_a_key_for_writing(tmp_path: Path, bundles: list[Bundle]) -> None:
    keys = Keys(tmp_path / "keys.json")
    secrets = {scope: keys.add(scope, [scope])[1] for scope in ("read", "write", "cypher")}
    settings = {"host": "0.0.0.0", "require_keys": None, "keys": keys.path}  # noqa: S104
    with open_store(f"ladybug:{tmp_path}/store.lbug") as store, taking(store, tmp_path, **settings) as client:
        sent = archive(bundles[0].path)
        for scope, status in (("", 401), ("read", 403), ("cypher", 403), ("write", 201)):
            headers = {"X-API-Key": secrets[scope]} if scope else {}
            for path in ("/bundles", "/imports"):
                if status != 201:
                    problem(client.post(path, content=sent, headers=headers), status)
        assert list((tmp_path / "jobs").glob("*/*")) == []
        assert (
            client.post("/bundles", content=sent, params=PATIENT, headers={"X-API-Key": secrets["write"]}).status_code
            == 201
        )


class Slow:
    """A store whose loads wait to be let go on, and may fail before."""

    def __init__(self, store: Store, failures: int = 0) -> None:
        self._store = store
        self.failures = failures
        self.go_on = threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def load(self, bundle: Bundle, progress: Callable[[str, int, int], None]) -> Any:
        if self.failures:
            self.failures -= 1
            raise AwayError("the database went away")
        while not self.go_on.wait(0.02):
            progress("Circuit", 1, 2)
        return self._store.load(bundle, progress)


def test_a_long_load_is_a_job_whose_progress_is_told_as_it_happens(
    store: Store, tmp_path: Path, bundles: list[Bundle]
) -> None:
    slow = Slow(store)
    with taking(slow, tmp_path) as client:  # type: ignore[arg-type]
        response = client.post("/bundles", content=archive(bundles[0].path), params={"wait": 0})
        job = only(response, 202)
        href = response.headers["location"]
        until(lambda: only(client.get(href), 200)["rows_done"] == 1)
        threading.Timer(0.5, slow.go_on.set).start()
        events = client.get(f"{href}/events")
        assert events.headers["content-type"].startswith("text/event-stream")
        told = [dict(line.split(": ", 1) for line in one.splitlines()) for one in events.text.strip().split("\n\n")]
        assert [one["event"] for one in told][-1] == "end"
        assert {one["event"] for one in told[:-1]} == {"progress"}
        first, last = json.loads(told[0]["data"]), json.loads(told[-1]["data"])
        assert (first["uid"], first["state"], first["table"], first["rows_to_do"]) == (
            job["uid"], "loading", "Circuit", 2
        )  # fmt: skip
        assert (last["state"], len(last["bundles"])) == ("done", 1)
        assert client.get(f"{href}/events").text.count("event: ") == 1  # over: the end, at once
        problem(client.get("/jobs/none/events"), 404)
        problem(client.get("/jobs/none"), 404)


def test_a_job_can_be_cancelled_and_leaves_nothing(tmp_path: Path, bundles: list[Bundle]) -> None:
    with open_store(f"ladybug:{tmp_path}/store.lbug") as store:
        slow = Slow(store)
        with taking(slow, tmp_path) as client:  # type: ignore[arg-type]
            hrefs = [
                client.post("/bundles", content=archive(b.path), params={"wait": 0}).headers["location"]
                for b in bundles
            ]
            until(lambda: only(client.get(hrefs[0]), 200)["state"] == "loading")
            assert only(client.get(hrefs[1]), 200)["state"] == "queued"
            asked = client.delete(hrefs[0])
            assert only(asked, asked.status_code)["state"] == {200: "cancelled", 202: "loading"}[asked.status_code]
            cancelled = only(client.post("/bundles", content=archive(bundles[0].path), params={"wait": 0}), 202)
            assert only(client.delete(f"/jobs/{cancelled['uid']}"), 200)["state"] == "cancelled"  # before it is begun
            until(lambda: only(client.get(hrefs[0]), 200)["state"] == "cancelled")
            assert only(client.delete(hrefs[0]), 200)["state"] == "cancelled"
            slow.go_on.set()
            until(lambda: only(client.get(hrefs[1]), 200)["state"] == "done")
            assert len(client.get("/circuits").json()["rows"]) == 1
            problem(client.delete("/jobs/none"), 404)
        assert left_in(tmp_path) == []


def test_a_load_goes_on_when_the_database_is_back(
    store: Store, tmp_path: Path, bundles: list[Bundle], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.jobs.queue._PAUSES", (0.01, 0.01, 0.01))
    slow = Slow(store, failures=3)
    slow.go_on.set()
    with taking(slow, tmp_path) as client:  # type: ignore[arg-type]
        assert only(client.post("/bundles", content=archive(bundles[0].path), params=PATIENT))["state"] == "done"
        slow.failures = 4
        assert "went away" in problem(client.post("/bundles", content=archive(bundles[1].path), params=PATIENT), 503)


def test_a_service_that_ended_does_when_it_runs_again_what_it_had_taken(
    store: Store, tmp_path: Path, bundles: list[Bundle]
) -> None:
    slow = Slow(store)
    with taking(slow, tmp_path) as client:  # type: ignore[arg-type]
        for bundle in bundles:
            job = only(client.post("/bundles", content=archive(bundle.path), params={"wait": 0}), 202)
        until(lambda: client.get("/jobs").json()["rows"][-1]["state"] == "loading")
    (folder,) = (tmp_path / "jobs").iterdir()
    (folder / ("0" * 32) / "upload").mkdir(parents=True)  # what a kill leaves of an upload
    (folder / "mine").mkdir()
    (folder / ("1" * 32)).mkdir()
    (folder / ("1" * 32) / "job.json").write_text("of another version")
    with taking(store, tmp_path) as client:
        until(lambda: [row["state"] for row in client.get("/jobs").json()["rows"]] == ["done", "done"])
        assert client.get("/jobs").json()["rows"][0]["uid"] == job["uid"]
        assert len(client.get("/circuits").json()["rows"]) == 2
    assert left_in(tmp_path) == []
    assert not (folder / ("0" * 32)).exists()
    assert (folder / "mine").exists()
    assert (folder / ("1" * 32) / "job.json").exists()


def test_all_that_waits_has_a_limit_together_which_a_restart_does_not_forget(
    tmp_path: Path, bundles: list[Bundle]
) -> None:
    large = archive(bundles[0].path, "w") + bytes(600 * 2**10)
    with open_store(f"ladybug:{tmp_path}/store.lbug") as store:
        slow = Slow(store)
        for expected in ([202, 503], [503]):
            with taking(slow, tmp_path, uploads_space=1) as client:  # type: ignore[arg-type]
                answers = [client.post("/bundles", content=large, params={"wait": 0}) for _ in expected]
                assert [answer.status_code for answer in answers] == expected
                assert "UPLOADS_SPACE is 1 MiB" in problem(answers[-1], 503)
                until(lambda: client.get("/jobs").json()["rows"][0]["state"] == "loading")
        slow.go_on.set()
        with taking(slow, tmp_path, uploads_space=1) as client:  # type: ignore[arg-type]
            until(lambda: client.get("/jobs").json()["rows"][0]["state"] == "done")
            assert only(client.post("/bundles", content=large, params=PATIENT))["state"] == "done"
    assert left_in(tmp_path) == []


def test_two_services_never_share_a_folder(tmp_path: Path) -> None:
    with (
        open_store(f"ladybug:{tmp_path}/store.lbug") as store,
        taking(store, tmp_path),
        pytest.raises(UsageError, match="another service uses"),
        taking(store, tmp_path),
    ):
        pass


def test_a_defect_ends_one_job_and_not_the_others(
    tmp_path: Path, bundles: list[Bundle], monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_store(f"ladybug:{tmp_path}/store.lbug") as store:
        slow = Slow(store)
        slow.go_on.set()
        with taking(slow, tmp_path) as client:  # type: ignore[arg-type]
            with monkeypatch.context() as patch:
                patch.setattr(Slow, "load", lambda *_: 1 / 0)
                told = problem(client.post("/bundles", content=archive(bundles[0].path), params=PATIENT), 500)
                assert "division" not in told
            (job,) = client.get("/jobs").json()["rows"]
            assert job["state"] == "failed"
            assert "its log says why" in job["error"]
            assert only(client.post("/bundles", content=archive(bundles[0].path), params=PATIENT))["state"] == "done"


def test_what_ends_the_service_again_and_again_is_given_up(tmp_path: Path, bundles: list[Bundle]) -> None:
    with open_store(f"ladybug:{tmp_path}/store.lbug") as store:
        slow = Slow(store)
        with taking(slow, tmp_path) as client:  # type: ignore[arg-type]
            href = client.post("/bundles", content=archive(bundles[0].path), params={"wait": 0}).headers["location"]
            until(lambda: only(client.get(href), 200)["state"] == "loading")
        for _ in range(2):
            with taking(slow, tmp_path) as client:  # type: ignore[arg-type]
                until(lambda: only(client.get(href), 200)["state"] == "loading")
        with taking(slow, tmp_path) as client:  # type: ignore[arg-type]
            until(lambda: only(client.get(href), 200)["state"] == "failed")
            assert "the service ended 3 times" in only(client.get(href), 200)["error"]


def test_a_stop_does_not_wait_for_those_who_wait_for_a_job(tmp_path: Path, bundles: list[Bundle]) -> None:
    """By a real process: what is listened to goes on when the service runs again."""
    settings = {"CIRCUITSTORE_UPLOADS": "true", "CIRCUITSTORE_JOBS": str(tmp_path / "jobs")}
    command = [sys.executable, "-m", "circuitstore", "--store", f"ladybug:{tmp_path}/s.lbug", "serve", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, **settings}) as process:
        assert process.stderr is not None
        url = next(word for word in process.stderr.readline().split() if word.startswith("http"))
        with httpx.Client(base_url=url, timeout=60) as client:
            endless = GRAPH[:-1] + b" " * (200 * 2**20)
            answers: list[httpx.Response] = []
            waiting = threading.Thread(
                target=lambda: answers.append(client.post("/imports", content=endless, params={"wait": 600}))
            )
            waiting.start()
            until(lambda: [row["state"] for row in httpx.get(f"{url}jobs").json()["rows"]] == ["reading"])
            started = time.monotonic()
            process.send_signal(signal.SIGINT)
            waiting.join()
            process.wait()
            assert time.monotonic() - started < 10
            assert answers[0].status_code == 202
