"""Whatever Cypher is sent: nothing is written, no file and no host reached, and the next question is answered."""

import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from queries.catalogue import catalogue
from store.cancel import Cancel, within
from store.cypher import asking
from store.cypher.answer import Limits
from store.cypher.asking import FreeCypher
from store.cypher.ladybug import operators
from store.cypher.statement import Kind, parse
from store.database import Rows, open_store
from store.errors import CancelledError, CircuitstoreError, LimitError, QueryError, StoreError
from tests.conftest import empty_store
from tests.queries.loading import load_world
from tests.queries.world import circuit
from tests.store.corpus import nested, statements

MEMORY = 256 * 2**20
SHORT = Limits(timeout=0.2, rows=1000, bytes=2**20)
LONG = Limits(timeout=30, rows=10_000, bytes=2**23)
CIRCUIT = circuit(0)["Circuit"][0]["uid"]
SECRET = "what the canary sings"


@dataclass
class World:
    """A filled store, free Cypher for it, and what hostile statements try to reach."""

    url: str
    free: FreeCypher
    folder: Path
    places: dict[str, str]
    connections: list[object]

    def ask(self, text: str, limits: Limits = LONG, /, **params: object) -> Rows:
        return self.free.ask(text, params, limits)

    def try_to_ask(self, text: str) -> str:
        """What came of it: "answered" or the error's name. No answer or message holds the canary's secret."""
        try:
            outcome, said = "answered", str(self.ask(text, SHORT))
        except CircuitstoreError as error:
            outcome, said = type(error).__name__, str(error)
        assert SECRET not in said
        return outcome

    def digest(self) -> str:
        with closing(open_store(self.url, read_only=True)) as store:
            return store.digest()

    def files(self) -> dict[str, tuple[int, int]]:
        return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in self.folder.rglob("*")}


@pytest.fixture(scope="module", params=["ladybug", "neo4j"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    base = tmp_path_factory.mktemp("free")
    folder = base / "reached"
    folder.mkdir()
    url = empty_store(request, folder)
    with closing(open_store(url)) as store:
        load_world(store, base, range(4))
    (folder / "canary.csv").write_text(f"a,b\n{SECRET},1\n")
    if request.param == "neo4j":
        _put_where_neo4j_imports_from(url)
    connections: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as listener, FreeCypher(url, at_once=2, memory=MEMORY) as free:
        port = listener.getsockname()[1]
        threading.Thread(target=_accept, args=(listener, connections), daemon=True).start()
        places = {
            "CANARY": f"{folder}/canary.csv",
            "FOLDER": str(folder),
            "URL": f"http://127.0.0.1:{port}/x.csv",
            "PORT": str(port),
        }
        yield World(url, free, folder, places, connections)
        listener.shutdown(socket.SHUT_RDWR)


def _put_where_neo4j_imports_from(url: str) -> None:
    """So that a statement which gets through would read it; where the server runs on this machine."""
    with closing(open_store(url, read_only=True)) as store:
        text = "SHOW SETTINGS YIELD name, value WHERE name = 'server.directories.import' RETURN value"
        folder = Path(store.run(text).rows[0][0])
    if folder.is_dir() and os.access(folder, os.W_OK):
        (folder / "canary.csv").write_text(f"a,b\n{SECRET},1\n")


def _accept(listener: socket.socket, connections: list[object]) -> None:
    with suppress(OSError):
        while True:
            connections.append(listener.accept())


def test_the_corpus_is_large_and_says_nothing_twice() -> None:
    hostile = [
        *statements("writes"),
        *statements("reaching"),
        *statements("server"),
        *statements("expensive"),
        *nested(),
    ]
    assert len(hostile) == len(set(hostile))
    assert len(hostile) >= 500
    assert len(statements("harmless")) >= 40


@pytest.mark.parametrize(
    ("name", "outcome"),
    [("writes", "QueryError"), ("reaching", "QueryError"), ("server", "QueryError"), ("inert", "answered")],
)
def test_hostile_statements_change_read_and_reach_nothing(world: World, name: str, outcome: str) -> None:
    before, files = world.digest(), world.files()
    came_of_it = {text: world.try_to_ask(text) for text in statements(name, world.places)}
    assert {text for text, came in came_of_it.items() if came != outcome} == set()
    assert world.ask("RETURN 1 AS one").rows == [[1]]
    assert world.digest() == before
    assert world.files() == files
    assert world.connections == []


@pytest.mark.parametrize("made", [lambda: statements("expensive"), nested], ids=["expensive", "nested"])
def test_expensive_statements_end_in_time_and_the_next_is_answered(world: World, made: Callable[[], list[str]]) -> None:
    before = world.digest()
    slow = {}
    for text in made():
        started = time.monotonic()
        assert world.try_to_ask(text) in ("answered", "LimitError", "QueryError"), text
        if (took := time.monotonic() - started) > 10:
            slow[text[:100]] = took
        assert world.ask("RETURN 1 AS one").rows == [[1]]
    assert slow == {}
    assert world.digest() == before


def test_harmless_statements_are_answered(world: World) -> None:
    dialect = "ladybug" if world.url.startswith("ladybug") else "neo4j"
    for text in (*statements("harmless"), *statements(f"harmless.{dialect}")):
        world.ask(text, LONG, uid=CIRCUIT, uids=[CIRCUIT, "none"])


def test_every_query_of_the_catalogue_is_harmless(world: World) -> None:
    with closing(open_store(world.url, read_only=True)) as store:
        for query in catalogue():
            text, bound = query.text(store.dialect, query.arguments(catalogue().example(store, query.name)))
            assert sorted(map(str, world.ask(text, LONG, **bound).rows)) == sorted(
                map(str, store.run(text, bound).rows)
            )


def test_an_answer_equals_that_of_the_store_itself(world: World) -> None:
    shown = [
        "MATCH (c:Circuit) RETURN c.uid AS uid, c.n_nodes AS n ORDER BY uid",
        "MATCH (f:Feature) RETURN f ORDER BY f.uid",
        "MATCH p = (a:CircuitNode)-[e:ATTRIBUTES_TO]->(b:CircuitNode) RETURN p, e ORDER BY e.weight, a.uid, b.uid",
    ]
    with closing(open_store(world.url, read_only=True)) as store:
        for text in shown:
            assert world.ask(text) == store.run(text)


def test_rows_and_bytes_are_bounded_and_the_answer_says_so(world: World) -> None:
    text = "UNWIND range(1, 1000) AS x RETURN x"
    rows = world.ask(text, Limits(timeout=10, rows=10, bytes=2**20))
    assert (rows.rows, rows.truncated) == ([[n] for n in range(1, 11)], True)
    rows = world.ask(text, Limits(timeout=10, rows=10_000, bytes=100))
    assert rows.truncated
    assert 10 < len(rows.rows) < 100
    assert not world.ask(text, Limits(timeout=10, rows=1000, bytes=2**20)).truncated
    with pytest.raises(LimitError, match="one row has"):
        world.ask("RETURN range(1, 1000) AS x", Limits(timeout=10, rows=10, bytes=100))


def test_more_questions_at_once_than_are_let_in_are_told_to_come_back(world: World) -> None:
    endless = "UNWIND range(1, 1000000) AS a UNWIND range(1, 1000000) AS b RETURN count(*)"
    outcomes: list[str] = []
    threads = [threading.Thread(target=lambda: outcomes.append(world.try_to_ask(endless))) for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    with pytest.raises(LimitError, match="2 statements are being asked already"):
        world.ask("RETURN 1 AS one")
    for thread in threads:
        thread.join()
    assert outcomes == ["LimitError", "LimitError"]
    assert world.ask("RETURN 1 AS one").rows == [[1]]


def test_a_cancelled_question_stops_at_once(world: World) -> None:
    cancel = Cancel()
    threading.Timer(1, cancel.cancel).start()
    started = time.monotonic()
    with within(cancel), pytest.raises(CancelledError):
        world.ask("UNWIND range(1, 1000000) AS a UNWIND range(1, 1000000) AS b RETURN count(*)")
    assert time.monotonic() - started < 5
    assert world.ask("RETURN 1 AS one").rows == [[1]]


def test_a_cancelled_query_of_the_store_stops_and_the_next_on_its_connection_does_not(world: World) -> None:
    endless = "UNWIND range(1, 1000000) AS a UNWIND range(1, 1000000) AS b RETURN count(*)"
    with closing(open_store(world.url, read_only=True)) as store:
        cancel = Cancel()
        threading.Timer(1, cancel.cancel).start()
        started = time.monotonic()
        with within(cancel), pytest.raises(CancelledError):
            store.run(endless, timeout=30)
        assert time.monotonic() - started < 10
        assert store.run("RETURN 1 AS one").rows == [[1]]
        with within(cancel), pytest.raises(CancelledError):
            store.run("RETURN 1 AS one")
        if store.dialect == "neo4j":
            running = (
                "SHOW TRANSACTIONS YIELD currentQuery WHERE currentQuery CONTAINS '1000000' RETURN count(*) - 1 AS n"
            )
            assert store.run(running).rows[0][0] <= 0


def test_a_mistake_is_told_in_the_databases_words(world: World) -> None:
    with pytest.raises(QueryError, match=r"(?i)refused: .*nobody.*(not defined|not in scope)"):
        world.ask("MATCH (n) RETURN nobody")
    with pytest.raises(QueryError, match="begins with MATCH, OPTIONAL"):
        world.ask("EXPLAIN RETURN 1")


@pytest.mark.parametrize("text", ["MATCH (c:Circuit)\nRETURN c.uid\nORDR BY c.uid", "RETURN sin('x')"])
def test_a_mistake_is_told_in_one_line_without_the_statement(world: World, text: str) -> None:
    with pytest.raises(QueryError, match="refused: ") as raised:
        world.ask(text)
    assert not re.search(r"\n|\^|  |Expected: |c\.uid\"", str(raised.value))


def test_a_parameter_without_a_value_is_refused_by_name(world: World) -> None:
    with pytest.raises(QueryError, match=r"no value is given for \$m, \$n: m=VALUE"):
        world.ask("MATCH (c:Circuit) WHERE c.n_nodes >= $n OR c.uid = $m RETURN c.uid, '$k', $uid", LONG, uid=1)


def test_ladybug_reads_and_writes_no_file_even_where_the_tokens_are_not_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database's analysis and the confined process hold by themselves."""
    folder = tmp_path / "reached"
    folder.mkdir()
    url = f"ladybug:{folder}/store.lbug"
    with closing(open_store(url)) as store:
        load_world(store, tmp_path, range(1))
        before = store.digest()
    (folder / "canary.csv").write_text(f"a,b\n{SECRET},1\n")
    connections: list[object] = []
    monkeypatch.setattr(asking, "PROGRAM", "tests.store.unguarded")
    monkeypatch.setattr(asking, "parse", lambda text: None)
    with socket.create_server(("127.0.0.1", 0)) as listener, FreeCypher(url, at_once=1, memory=MEMORY) as free:
        threading.Thread(target=_accept, args=(listener, connections), daemon=True).start()
        port = listener.getsockname()[1]
        places = {
            "CANARY": f"{folder}/canary.csv",
            "FOLDER": str(folder),
            "URL": f"http://127.0.0.1:{port}/x.csv",
            "PORT": str(port),
        }
        world = World(url, free, folder, places, connections)
        files = world.files()
        for text in (*statements("writes"), *statements("reaching", places)):
            world.try_to_ask(text)
        assert world.ask("RETURN 1 AS one").rows == [[1]]
        listener.shutdown(socket.SHUT_RDWR)
    assert world.files() == files
    assert world.connections == []
    assert world.digest() == before


def test_a_store_that_changes_is_read_anew(tmp_path: Path) -> None:
    url = f"ladybug:{tmp_path}/store.lbug"
    count = "MATCH (c:Circuit) RETURN count(*) AS n"
    with closing(open_store(url)) as store:
        load_world(store, tmp_path, range(1))
        with FreeCypher(url, at_once=1, memory=MEMORY) as free:
            first = free.ask(count, {}, LONG).rows
            load_world(store, tmp_path / "more", range(1, 3))
            assert first[0][0] < free.ask(count, {}, LONG).rows[0][0]


def test_a_store_that_is_not_there_is_named(tmp_path: Path) -> None:
    with FreeCypher(f"ladybug:{tmp_path}/none.lbug", at_once=1, memory=MEMORY) as free:
        for _ in range(2):
            with pytest.raises(StoreError, match=r"none\.lbug"):
                free.ask("RETURN 1", {}, LONG)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("MATCH (n:CircuitNod) RETURN n", "Did you mean CircuitNode or Circuit?"),
        ("MATCH ()-[r:ATTRIBUTES]->() RETURN r", "Did you mean ATTRIBUTES_TO?"),
        ("MATCH (n:Circuit) RETURN n.nam", "Did you mean name?"),
        ("MATCH (n:Xyz) RETURN n", "docs/schema.md has all that there are."),
    ],
)
def test_a_name_that_ladybug_does_not_know_is_answered_with_the_nearest(ladybug_url: str, text: str, hint: str) -> None:
    with (
        open_store(ladybug_url),
        FreeCypher(ladybug_url, at_once=1, memory=MEMORY) as free,
        pytest.raises(QueryError) as raised,
    ):
        free.ask(text, {}, LONG)
    assert str(raised.value).endswith(hint)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("  // nothing", "is empty"),
        ("RETURN 'x", "what ' opens is never closed"),
        ("RETURN `x", "what ` opens is never closed"),
        ("RETURN 1 /* x", "the comment is never closed"),
        ("RETURN '\\u0041'", "line 1, column 8: the string holds other escapes"),
        ("RETURN 1\nAS ü", "line 2, column 4: '\\xfc' can't stand outside"),
        ("RETURN 1x", "a space between the number"),
        ("RETURN $1", "a parameter is"),
        ("RETURN 1; RETURN 2", "more than one statement"),
        ("SHOW SETTINGS", "can't begin with SHOW"),
        ("RETURN " + "(" * 65 + "1" + ")" * 65, "nested more than 64 deep"),
        ("RETURN '" + "x" * 20_000 + "'", "more than 20000 characters"),
    ],
)
def test_a_statement_that_is_refused_says_where_and_why(text: str, said: str) -> None:
    with pytest.raises(QueryError) as raised:
        parse(text)
    assert said in str(raised.value)


def test_a_database_is_given_the_text_without_comments_and_end() -> None:
    assert parse("/* a */ RETURN '// b' // c\nAS x ; ; // d").text == "RETURN '// b'  \nAS x"
    assert [t.kind for t in parse("RETURN `a`.b").tokens] == [Kind.NAME, Kind.QUOTED, Kind.MARK, Kind.NAME]


def test_calls_are_found_however_they_are_written() -> None:
    text = "CALL `A` . b /* */ ( ) YIELD x CALL { RETURN 1 } RETURN c . `d` (1), n.e IN (2), f(3), `g`.h(`i`.j(k.l))"
    found = [(call.name, call.procedure) for call in parse(text).calls()]
    assert found == [("a.b", True), ("", True), ("c.d", False), ("g.h", False), ("i.j", False)]


def test_text_in_a_plan_can_add_operators_but_hide_none() -> None:
    box = "┌──┐\n│{}│\n│'┌─┐ │\n│x│' │\n└┬─┘\n"
    plan = "┌─┐\n│┌─┐│\n││Logical Plan││\n│└─┘│\n└─┘\n" + box.format("PROJECTION") + box.format("COPY_TO")
    assert {"PROJECTION", "COPY_TO"} <= operators(plan)
