"""Running Neo4j from its jars, with stand-ins for Maven and Java where those themselves are not the matter."""

import os
import socket
import time
from pathlib import Path

import pytest

from store.errors import StoreError
from store.server.__main__ import PORTS, _greeting
from store.server.jars import jars
from store.server.java import java
from store.server.neo4j import HOST, Server, free_port, running
from tests.conftest import no_skip_in_ci

FETCHES = """#!/bin/sh
for word in "$@"; do case $word in -DoutputDirectory=*) folder=${word#*=};; esac; done
mkdir "$folder" && touch "$folder/neo4j.jar" && echo fetched >> "$COUNT"
"""


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs that comes before all others on the PATH."""
    folder = tmp_path / "tools"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("COUNT", str(tmp_path / "count"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return folder


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def test_jars_are_fetched_once(tools: Path, tmp_path: Path) -> None:
    program(tools / "mvn", FETCHES)
    first = jars(tmp_path / "cache")
    assert jars(tmp_path / "cache") == first
    assert [jar.name for jar in first.iterdir()] == ["neo4j.jar"]
    assert (tmp_path / "count").read_text().split() == ["fetched"]
    assert list((tmp_path / "cache").iterdir()) == [first]


def test_a_fetch_that_fails_leaves_nothing_and_tells_what_maven_said(tools: Path, tmp_path: Path) -> None:
    program(tools / "mvn", f"{FETCHES}\necho no network >&2; exit 1\n")
    with pytest.raises(StoreError, match=r"exit code 1.*\nno network"):
        jars(tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_what_a_killed_fetch_left_is_removed_later_and_never_used(tools: Path, tmp_path: Path) -> None:
    program(tools / "mvn", FETCHES)
    old, recent = (tmp_path / "cache" / f"neo4j-jars-{name}.part" for name in ("old", "recent"))
    for part in (old, recent):
        part.mkdir(parents=True)
    os.utime(old, (0, time.time() - 7200))
    assert jars(tmp_path / "cache").name.removeprefix("neo4j-jars-").isalnum()
    assert not old.exists()
    assert recent.exists()


def test_without_maven_the_message_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StoreError, match=r"no `mvn` on the PATH: install Maven .* or run Neo4j in a container"):
        jars(tmp_path / "cache")


def test_without_java_the_message_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(StoreError, match=r"needs Java 17 or 21, and there is no `java` on the PATH and no JAVA_HOME"):
        java()


def test_a_java_that_neo4j_does_not_run_on_is_named(tools: Path) -> None:
    program(tools / "java", "#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    with pytest.raises(StoreError, match=r"tools/java is Java 11"):
        java()


def test_java_home_comes_first(tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tools / "java", "#!/bin/sh\necho 'openjdk version \"17.0.2\"' >&2\n")
    assert java() == tools / "java"
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jdk"))
    program(tmp_path / "jdk" / "bin" / "java", "#!/bin/sh\necho 'openjdk version \"21\"' >&2\n")
    assert java() == tmp_path / "jdk" / "bin" / "java"


def test_a_port_in_use_is_left_alone() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        assert free_port(taken.getsockname()[1]) != taken.getsockname()[1]


def test_a_made_up_password_is_shown_once_and_a_given_one_never(tmp_path: Path) -> None:
    assert "s3cret" in _greeting(Server(tmp_path, 1, 2, "s3cret", generated=True))
    assert "s3cret" not in _greeting(Server(tmp_path, 1, 2, "s3cret", generated=False))
    assert "shown at the first start" in _greeting(Server(tmp_path, 1, 2, None, generated=False))


def test_ports_that_others_have_are_named() -> None:
    said = _greeting(Server(Path(), 5, PORTS[1], None, generated=False))
    assert "bolt://127.0.0.1:5   (something else listens at 7687)\n" in said
    assert "(something else" not in _greeting(Server(Path(), *PORTS, None, generated=False))


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    try:
        java()
        jars()
    except StoreError as reason:
        no_skip_in_ci(str(reason))
    with (
        pytest.raises(StoreError, match=r"(?s)did not start: it ended.*no\.such\.setting"),
        running(tmp_path, settings={"no.such.setting": "1"}),
    ):
        pass
