"""Opening a store and asking it: each refusal says what is wrong and what to do."""

import contextlib
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from store.bundle import Bundle
from store.database import Store, open_store
from store.errors import LimitError, NotFoundError, StoreError, UsageError
from store.ladybug import LadybugStore
from store.schema import STORE_VERSION
from store.settings import StoreSettings
from tests.graphs import random_bundle
from tests.neo4j_server import Neo4j

LONG = "UNWIND range(1, 3000) AS a UNWIND range(1, 3000) AS b UNWIND range(1, 3000) AS c RETURN sum(a * b + c) AS n"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return random_bundle(tmp_path_factory.mktemp("bundle") / "b")


@pytest.mark.parametrize("url", ["", "nonsense", "http://localhost:7687", "bolt:localhost", "/a/path", "neo4j"])
def test_a_url_of_no_store_says_which_there_are(url: str) -> None:
    with pytest.raises(UsageError, match=r"ladybug:PATH, bolt://HOST:PORT, neo4j://HOST:PORT"):
        open_store(url)


@pytest.mark.parametrize("url", ["bolt://neo4j:s3cret@localhost:7687", "neo4j+s://:s3cret@db", "http://u:s3cret@h"])
def test_a_password_in_a_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        open_store(url)
    assert "s3cret" not in str(refused.value)


def test_a_store_that_is_not_there_can_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(
        StoreError, match=r"nothing is stored in .*: run `circuitstore demo`.*or `circuitstore import FILE`"
    ):
        open_store(f"ladybug:{tmp_path / 'none.lbug'}", read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_what_is_refused_makes_no_store(tmp_path: Path) -> None:
    with open_store(f"ladybug:{tmp_path / 'below' / 'none.lbug'}") as store:
        assert store.run("MATCH (c:Circuit) RETURN c.uid").rows == []
        with pytest.raises(NotFoundError, match="no circuit 'circuit:none' is stored"):
            store.delete("circuit:none")
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_is_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a database, and long enough not to be taken for an empty one\n" * 100)
    for path in (tmp_path, tmp_path / "notes.txt", tmp_path / "notes.txt" / "below"):
        with pytest.raises(StoreError, match=str(tmp_path)):
            open_store(f"ladybug:{path}")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_another_schema_version_is_refused(store_url: str) -> None:
    with open_store(store_url) as store:
        _set_version(store, 99)
    with pytest.raises(StoreError, match=f"has schema version 99, this program knows {STORE_VERSION}: upgrade"):
        open_store(store_url)


def _set_version(store: Store, version: int) -> None:
    text = f"MATCH (s:Store) SET s.schema_version = {version}"
    if isinstance(store, LadybugStore):
        with store._transaction("a test") as transaction:
            transaction.write(text)
    else:
        with store._driver.session() as session:  # type: ignore[attr-defined]
            session.run(text).consume()


def test_a_store_that_another_process_writes_can_be_read_but_not_written(ladybug_url: str) -> None:
    hold = f"""
from store.database import open_store
store = open_store({ladybug_url!r})
print("open", flush=True)
input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(StoreError, match="is in use by another process"):
            open_store(ladybug_url)
        with open_store(ladybug_url, read_only=True) as store:
            assert store.run("MATCH (c:Circuit) RETURN c.uid").rows == []
        other.kill()
    open_store(ladybug_url).close()


def test_a_reader_sees_what_is_loaded_meanwhile(ladybug_url: str, bundle: Bundle) -> None:
    with open_store(ladybug_url) as writer, open_store(ladybug_url, read_only=True) as reader:
        before = reader.digest()
        writer.load(bundle)
        assert reader.digest() == writer.digest() != before


def test_reading_does_not_write(ladybug_url: str, bundle: Bundle) -> None:
    with open_store(ladybug_url) as store:
        store.load(bundle)
        digest = store.digest()
        with pytest.raises(StoreError):
            store.run("MATCH (n:CircuitNode) SET n.effect = 0.0")
        assert store.digest() == digest


def test_many_may_read(ladybug_url: str, bundle: Bundle) -> None:
    with open_store(ladybug_url) as store:
        store.load(bundle)
    with open_store(ladybug_url, read_only=True) as one, open_store(ladybug_url, read_only=True) as other:
        assert one.digest() == other.digest()
        with pytest.raises(StoreError, match="was opened to be read only"):
            one.load(random_bundle(Path(one.url.removeprefix("ladybug:")).with_name("more"), 5))


def test_a_neo4j_that_is_down_says_how_to_start_one() -> None:
    with pytest.raises(StoreError, match=r"no Neo4j answers at bolt://127.0.0.1:9 .*: start it"):
        open_store("bolt://127.0.0.1:9")


def test_a_wrong_password_is_named_by_its_setting_and_not_shown(neo4j: Neo4j) -> None:
    settings = StoreSettings(neo4j_user=neo4j.user, neo4j_password=SecretStr("n0t-the-one"))
    with pytest.raises(StoreError, match="CIRCUITSTORE_NEO4J_PASSWORD") as refused:
        open_store(neo4j.url, settings=settings)
    assert "n0t-the-one" not in str(refused.value)


def test_a_database_that_is_not_there_is_named_by_its_setting(neo4j: Neo4j) -> None:
    settings = StoreSettings(neo4j_database="another")
    with pytest.raises(StoreError, match="CIRCUITSTORE_NEO4J_DATABASE"):
        open_store(neo4j.url, settings=settings)


def test_a_query_past_its_time_is_stopped_and_the_next_one_answered(store: Store) -> None:
    with pytest.raises(LimitError, match=r"longer than 0\.2 s"):
        store.run(LONG, timeout=0.2)
    assert store.run("RETURN 1 AS one", timeout=5).rows == [[1]]


def test_rows_past_the_limit_are_cut_and_told(store: Store) -> None:
    text = "UNWIND range(1, 10) AS n RETURN n"
    assert store.run(text, row_limit=10).truncated is False
    cut = store.run(text, row_limit=9)
    assert (cut.columns, cut.rows, cut.truncated) == (["n"], [[n] for n in range(1, 10)], True)


def test_a_query_with_an_error_is_a_store_error(store: Store) -> None:
    with pytest.raises(StoreError):
        store.run("MATCH (n RETURN n")
    assert store.run("RETURN $x AS x", {"x": "fine"}).rows == [["fine"]]


def test_many_threads_may_ask(store: Store, bundle: Bundle) -> None:
    store.load(bundle)
    expected = store.run("MATCH (n:CircuitNode) RETURN n ORDER BY n.uid")
    wrong: list[object] = []

    def ask() -> None:
        for _ in range(10):
            found = store.run("MATCH (n:CircuitNode) RETURN n ORDER BY n.uid", timeout=30, row_limit=1000)
            if found != expected:
                wrong.append(found)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_link_to_a_store_stays_a_link_and_the_file_keeps_its_mode(tmp_path: Path, bundle: Bundle) -> None:
    real, link = tmp_path / "far" / "real.lbug", tmp_path / "link.lbug"
    real.parent.mkdir()
    with open_store(f"ladybug:{real}") as store:
        store.load(random_bundle(tmp_path / "first", 7))
    real.chmod(0o600)
    link.symlink_to(real)
    with open_store(f"ladybug:{link}") as store:
        store.load(bundle)
        digest = store.digest()
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o600
    with open_store(f"ladybug:{real}", read_only=True) as store:
        assert store.digest() == digest


@pytest.mark.parametrize("memory", ["abc", "-5", "0", "99999999999999999999"])
def test_a_memory_that_can_not_be_is_named_by_its_setting(
    ladybug_url: str, memory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIRCUITSTORE_LADYBUG_MEMORY", memory)
    with pytest.raises(UsageError, match=r"^CIRCUITSTORE_LADYBUG_MEMORY: Input should be "):
        open_store(ladybug_url)


def test_a_store_closed_under_a_query_lets_it_end(ladybug_url: str) -> None:
    code = f"""
import threading, time
from store.database import open_store
store = open_store({ladybug_url!r})
def ask():
    print(store.run({LONG.replace("3000", "300")!r}).columns)
thread = threading.Thread(target=ask)
thread.start()
time.sleep(0.3)
store.close()
thread.join()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "['n']\n"), done.stderr


def test_a_neo4j_that_goes_away_under_an_open_store_is_told_within_the_time_limit(neo4j: Neo4j) -> None:
    host, port = neo4j.url.partition("//")[2].split(":")
    ends: list[socket.socket] = []

    def copy(one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(2**16):
                other.sendall(data)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                near, far = listener.accept()[0], socket.create_connection((host, int(port)))
                ends.extend((near, far))
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=copy, args=pair, daemon=True).start()

    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=accept, daemon=True).start()
    with open_store(f"bolt://127.0.0.1:{listener.getsockname()[1]}") as store:
        assert store.run("RETURN 1 AS one", timeout=1).rows == [[1]]
        for end in ends:  # the connection ends, the server is there
            end.shutdown(socket.SHUT_RDWR)
        assert store.run("RETURN 1 AS one", timeout=1).rows == [[1]]
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        started = time.monotonic()
        for _ in range(2):
            with pytest.raises(StoreError, match="no Neo4j answers"):
                store.run("RETURN 1 AS one", timeout=1)
        assert time.monotonic() - started < 3
    for end in ends:
        end.close()
