"""The program: data on stdout, one message on stderr, an exit code, and never a traceback."""

import csv
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from api.settings import misspelt
from circuitstore import app
from queries.catalogue import catalogue
from store.database import open_store
from tests.queries.loading import load_world, write_dense, write_world
from tests.queries.world import DENSE_END, circuit

PROGRAM = [sys.executable, str(Path(__file__).parents[2] / "circuitstore.py")]
CIRCUIT = circuit(0)["Circuit"][0]["uid"]
METRIC = circuit(0)["CircuitNode"][-1]["uid"]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A filled store that nobody holds."""
    folder = tmp_path_factory.mktemp("stored")
    store_url = f"ladybug:{folder / 'store.lbug'}"
    with closing(open_store(store_url)) as store:
        load_world(store, folder, range(4))
    return store_url


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**{k: v for k, v in os.environ.items() if k != "COLUMNS"}, **environment},
        check=False,
    )


def refused(code: int, *arguments: str, **environment: str) -> str:
    """The one message of a run that must fail with this code."""
    done = run(*arguments, **environment)
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("circuitstore: ")
    return lines[0]


def test_the_formats_hold_the_same_rows(url: str) -> None:
    arguments = ("--store", url, "query", "top_edges", f"circuit={CIRCUIT}", "limit=5")
    as_json = json.loads(run(*arguments, "--format", "json").stdout)
    assert list(as_json) == ["columns", "rows", "truncated"]
    rows = as_json["rows"]
    assert len(rows) == 5
    as_lines = [json.loads(line) for line in run("--format=ndjson", *arguments).stdout.splitlines()]
    assert as_lines == rows
    as_csv = list(csv.DictReader(io.StringIO(run(*arguments, "--format=csv").stdout)))
    assert [row["source"] for row in as_csv] == [row["source"] for row in rows]
    assert [float(row["weight"]) for row in as_csv] == [row["weight"] for row in rows]
    table = run(*arguments).stdout
    for row in rows:
        assert row["source"] in table


def test_a_table_keeps_to_the_terminal_and_says_what_it_left_off(url: str) -> None:
    import fcntl
    import pty
    import struct
    import termios

    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 60, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
    done = subprocess.run(
        [*PROGRAM, "--store", url, "circuits"],
        stdout=follower,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        env={**environment, "TERM": "xterm"},
        check=False,
    )
    os.close(follower)
    printed = re.sub(r"\x1b\[\d*m", "", os.read(leader, 100_000).decode())
    os.close(leader)
    assert all(len(line) <= 60 for line in printed.splitlines())
    assert "no room for" in done.stderr


def test_global_options_may_stand_before_or_after_the_command(url: str) -> None:
    before = run("--store", url, "--format", "csv", "circuits").stdout
    assert before == run("circuits", "--format", "csv", "--store", url).stdout
    assert before == run("circuits", "--format=csv", CIRCUITSTORE_STORE=url).stdout
    assert before.count("\n") == 5


def test_the_digest_stands_alone_on_stdout(url: str) -> None:
    done = run("digest", "--store", url)
    assert len(done.stdout.strip().split()) == 1
    assert done.stderr == ""


def test_load_then_delete_leaves_nothing_of_a_circuit(tmp_path: Path) -> None:
    (bundle,) = write_world(tmp_path, [0])
    url = f"ladybug:{tmp_path / 'store.lbug'}"
    done = run("load", str(bundle), "--store", url)
    assert re.search(r": 1 circuit, \d+ rows loaded, derived ones among them\n$", done.stderr)
    assert CIRCUIT in run("circuits", "--store", url, "--format", "ndjson").stdout
    assert run("delete", CIRCUIT, "--store", url).returncode == 0
    assert run("circuits", "--store", url, "--format", "ndjson").stdout == ""


def test_a_folder_of_bundles_loads_each_and_nothing_unfinished(tmp_path: Path) -> None:
    write_world(tmp_path / "bundles", range(2))
    write_world(tmp_path / "bundles" / ".work", [2])
    url = f"ladybug:{tmp_path / 'store.lbug'}"
    done = run("load", str(tmp_path / "bundles"), "--store", url)
    assert [line.split(": ")[1].split("/")[-1] for line in done.stderr.splitlines()] == ["bundle-0", "bundle-1"]
    assert run("circuits", "--store", url, "--format", "ndjson").stdout.count("\n") == 2


def test_alone_it_prints_its_help_as_usage() -> None:
    done = run()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == run("--help").stdout == run("-h").stdout


def test_it_tells_its_version() -> None:
    done = run("--version")
    assert re.fullmatch(r"circuitstore \d+\.\d+\.\d+\n", done.stdout)
    assert done.returncode == 0


def test_a_setting_that_cant_be_is_named() -> None:
    for value in ("abc", "-5", "99999999999"):
        assert "CIRCUITSTORE_LADYBUG_MEMORY" in refused(2, "circuits", CIRCUITSTORE_LADYBUG_MEMORY=value)


def test_a_name_with_a_line_break_stays_in_one_message(tmp_path: Path) -> None:
    name = str(tmp_path / "a\nb\x1b[2J")
    said = refused(1, "load", name)
    assert r"a\nb\x1b[2J is no bundle" in said
    assert r"a\nb" in refused(1, "circuits", "--store", f"ladybug:{name}")


def test_an_unknown_query_is_answered_with_the_nearest_names(url: str) -> None:
    said = refused(2, "query", "upstream_path", "--store", url)
    assert "did you mean upstream_paths" in said
    assert "`circuitstore queries` lists all" in said
    assert "`circuitstore queries` lists them" in run("query").stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("node=x", "max_hops=99"), "max_hops: '99' is not a whole number from 1 to 12"),
        (("node=x", "max_hop=9"), "did you mean max_hops?"),
        (("node=a b",), "'a b' is not a uid"),
        (("max_hops=3",), "node is missing"),
        (("node",), "key=value, such as node=…"),
        (("node=x", "node=y"), "node is given twice"),
    ],
)
def test_a_bad_parameter_is_usage_and_named(arguments: tuple[str, ...], said: str) -> None:
    assert said in refused(2, "query", "upstream_paths", *arguments)


def test_what_is_not_stored_is_named(url: str) -> None:
    assert "no CircuitNode 'nothing' is stored" in refused(1, "query", "upstream_paths", "node=nothing", "--store", url)
    assert "nothing" in refused(1, "delete", "nothing", "--store", url)
    assert "no matches of 'a' with 'b'" in refused(1, "delete", "--matches", "a", "b", "--store", url)
    assert "a circuit's uid, or --matches" in refused(2, "delete", "--store", url)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing",), "nothing"),
        (("circuits", "--formt", "csv"), "--formt (circuitstore circuits --help shows what there is)"),
        (("keys", "add"), "'name'. (circuitstore keys add --help shows"),
        (("export", "x"), "'--format'. Choose from: attribution-graph, mib, graphml, parquet, csv, cypher"),
        (("circuits", "--store", "/a/b.lbug"), "did you mean ladybug:/a/b.lbug?"),
        (("circuits", "--format", "xml"), "'--format': 'xml' is not one of"),
        (("circuits", "--columns", "uid,nothing"), "--columns: no column 'nothing'; there are uid, aggregation"),
        (("circuits", "--columns", "uid,uid"), "--columns: 'uid' is named twice"),
        (("circuits", "--columns"), "--columns: its value is missing"),
        (("load",), "bundles"),
        (("serve", "--port", "x"), "integer"),
        (("serve", "--port", "99999"), "--port: Input should be less"),
        (("demo", "--memory", "lots"), "lots"),
    ],
)
def test_a_command_line_that_cant_be_read_is_usage(url: str, arguments: tuple[str, ...], said: str) -> None:
    assert said in refused(2, *arguments, CIRCUITSTORE_STORE=url)


def test_a_query_that_needs_parameters_explains_itself_when_it_gets_none() -> None:
    done = run("query", "upstream_paths")
    assert done.returncode == 2
    assert done.stdout == ""
    *explained, missing = done.stderr.splitlines(keepends=True)
    assert "node=…" in done.stderr
    assert "upstream_paths: node is missing" in missing
    helped = run("query", "upstream_paths", "--help")
    assert helped.returncode == 0
    assert helped.stdout == "".join(explained)
    assert helped.stdout == run("queries", "upstream_paths").stdout


def test_queries_lists_the_catalogue_without_a_store() -> None:
    done = run("queries", "--format", "csv", CIRCUITSTORE_STORE="bolt://127.0.0.1:9")
    assert "upstream_paths" in done.stdout


@pytest.mark.parametrize("store", ["ladybug:/nowhere/at/all.lbug", "bolt://127.0.0.1:9", "mysql://x", "nonsense"])
def test_a_store_that_is_not_there_is_one_message(store: str) -> None:
    done = run("circuits", "--store", store)
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_bundle_that_is_not_there_is_one_message(tmp_path: Path) -> None:
    assert "missing" in refused(1, "load", str(tmp_path / "missing"), "--store", f"ladybug:{tmp_path / 's.lbug'}")
    assert not (tmp_path / "s.lbug").exists()


def test_a_bundle_that_was_altered_is_refused_before_a_store_is_made(tmp_path: Path) -> None:
    (bundle,) = write_world(tmp_path, [0])
    with (bundle / "CircuitNode.parquet").open("r+b") as file:
        file.truncate(100)
    assert "CircuitNode.parquet" in refused(1, "load", str(bundle), "--store", f"ladybug:{tmp_path / 's.lbug'}")
    assert not (tmp_path / "s.lbug").exists()


def test_computing_without_the_heavy_half_says_what_installs_it(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError('no torch', name='torch')")
    recipe = Path(__file__).parents[2] / "demo" / "agreement-across-pp.toml"
    message = refused(1, "ingest", str(recipe), "--out", str(tmp_path / "out"), PYTHONPATH=str(tmp_path))
    assert "torch" in message
    assert "pip install -e '.[ingest]'" in message


def test_a_store_held_by_another_process_is_one_message(url: str, tmp_path: Path) -> None:
    (bundle,) = write_world(tmp_path, [0])
    code = (
        "import sys; from store.database import open_store\n"
        "s = open_store(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        message = refused(1, "load", str(bundle), "--store", url)
        holder.kill()
    assert "another process" in message
    assert "POST /bundles" in message


def test_a_reader_that_leaves_early_is_no_error(url: str) -> None:
    arguments = ["query", "top_edges", f"circuit={CIRCUIT}", "limit=1000", "--format", "csv", "--store", url]
    with subprocess.Popen([*PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        writer.stdout.close()
        writer.wait(60)
        assert writer.stderr is not None
        assert writer.stderr.read() == b""


@contextmanager
def serving(url: str, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running service and its address."""
    command = [*PROGRAM, "serve", "--port", "0", "--store", url, *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        try:
            yield process, line.split(" at ")[1].split()[0]
        finally:
            process.kill()


def test_serve_answers_while_queries_run_beside_it(url: str) -> None:
    with serving(url) as (_, address):
        with urllib.request.urlopen(f"{address}circuits") as response:
            assert len(json.load(response)["rows"]) == 4
        assert run("circuits", "--store", url, "--format", "csv").stdout.count("\n") == 5


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_stops_when_told(url: str, number: signal.Signals) -> None:
    with serving(url) as (process, _):
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
    assert "Traceback" not in said
    assert process.returncode == (0 if number == signal.SIGINT else -number)


def test_serve_refuses_a_port_that_is_taken(url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        message = refused(1, "serve", "--port", port, "--store", url)
    assert port in message
    assert "--port" in message


def test_serve_refuses_a_store_that_is_not_there(tmp_path: Path) -> None:
    assert "missing.lbug" in refused(1, "serve", "--store", f"ladybug:{tmp_path / 'missing.lbug'}")


def test_ctrl_c_ends_a_command_with_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        store = f"bolt://127.0.0.1:{silent.getsockname()[1]}"
        with subprocess.Popen([*PROGRAM, "circuits", "--store", store], stderr=subprocess.PIPE, text=True) as process:
            connection, _ = silent.accept()
            with connection:
                time.sleep(0.2)
                process.send_signal(signal.SIGINT)
                _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said == "circuitstore: interrupted\n"


def test_ctrl_c_ends_a_long_query_at_once(tmp_path: Path) -> None:
    url = f"ladybug:{tmp_path / 'store.lbug'}"
    with closing(open_store(url)) as store:
        store.load(write_dense(tmp_path / "dense"))
    arguments = ["query", "upstream_paths", f"node={DENSE_END}", "max_hops=6", "min_weight=0", "--store", url]
    with subprocess.Popen([*PROGRAM, *arguments], stderr=subprocess.PIPE, text=True) as process:
        time.sleep(3)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        started = time.monotonic()
        _, said = process.communicate(timeout=30)
    assert time.monotonic() - started < 5
    assert (process.returncode, said) == (130, "circuitstore: interrupted\n")


def test_help_comes_without_importing_what_is_slow() -> None:
    slow = ("rich", "fastapi", "ladybug", "neo4j", "pyarrow", "torch")
    code = f"import sys, circuitstore; print([m for m in {slow} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_plots_of_a_folder_of_bundles_are_files_beside_them_and_no_bundles(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    folder = tmp_path / "bundles"
    bundles = write_world(folder, [0, 1])
    done = run("plot", str(folder), "--format", "csv")
    assert done.returncode == 0, done.stderr
    files = done.stdout.splitlines()[1:]
    assert {Path(file).parent for file in files} == {bundle.with_name(f"{bundle.name}-plots") for bundle in bundles}
    assert all(Path(file).stat().st_size for file in files)
    assert run("plot", str(folder), "--format", "csv").stdout == done.stdout
    loaded = run("load", str(folder), "--store", f"ladybug:{tmp_path / 'store.lbug'}")
    assert loaded.stderr.count("loaded") == 2, loaded.stderr


def test_what_can_not_be_plotted_is_one_message(tmp_path: Path) -> None:
    missing = str(tmp_path / "nowhere")
    for folder, why in ((str(tmp_path), "holds none"), (missing, "is not there"), (__file__, "is no folder")):
        said = refused(1, "plot", folder)
        assert f"{folder} is no bundle: it {why}; name a bundle, or a folder that holds some" in said
        assert ("circuitstore import takes" in said) == (folder == __file__)


def test_an_answer_without_rows_names_the_command_that_fills_it(tmp_path: Path) -> None:
    store = f"ladybug:{tmp_path / 'store.lbug'}"
    (bundle,) = write_world(tmp_path, [0])
    assert run("load", str(bundle), "--store", store).returncode == 0
    done = run("query", "runs", "command=nothing", "--store", store)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines() == [
        "circuitstore: no rows", "circuitstore: circuitstore ingest RECIPE stores what runs shows"
    ]  # fmt: skip
    assert "Filled by circuitstore match RECIPE\n" in run("queries", "match_quality").stdout
    assert "stores what" not in run("query", "runs", "--store", store).stderr
    said = run("query", "search", "text=zzz", "--store", store).stderr
    assert "circuitstore: search looked at labels and promoted tokens of features" in said
    assert "looked at" not in run("query", "search", "text=a", "--store", store).stderr


def test_every_command_that_fills_a_query_is_one_of_the_programs() -> None:
    known = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    named = {query.filled_by for query in catalogue()} - {""}
    assert named
    for command in named:
        program, name, what = command.split(" ", 2)
        assert (program, name in known) == ("circuitstore", True)
        assert what.partition(" (")[0].isupper()


@pytest.mark.parametrize(
    ("name", "nearest"), [("ROW_LIMT", "ROW_LIMIT"), ("NEO4J_PASWORD", "NEO4J_PASSWORD"), ("XYZ", None), ("KEYS", "")]
)
def test_a_variable_that_is_no_setting_is_told_with_the_nearest_one(name: str, nearest: str | None) -> None:
    prefix = "CIRCUITSTORE_"
    hint = f"; did you mean {prefix}{nearest}?" if nearest else ""
    said = [] if nearest == "" else [f"{prefix}{name} is no setting{hint}"]
    assert list(misspelt(["HOME", f"{prefix}{name}", f"{prefix}PORT".lower()])) == said
    served = run("serve", "--store", "ladybug:/nowhere/at/all.lbug", **{f"{prefix}{name}": "none.json"})
    assert served.stderr.splitlines()[:-1] == [f"circuitstore: {line}" for line in said]


@pytest.mark.parametrize(("limit", "most", "kept"), [("ROW_LIMIT", "4", 4), ("CYPHER_BYTES", "1", 10)])
def test_a_cut_answer_names_the_limit_that_cut_it(url: str, limit: str, most: str, kept: int) -> None:
    text = "UNWIND range(1, 20) AS n RETURN lpad('', 100000, 'x') AS x, n"
    done = run("cypher", text, "--store", url, "--format", "csv", **{f"CIRCUITSTORE_{limit}": most})
    assert done.stdout.count("\n") == kept + 1
    assert f"only the first {kept} rows: CIRCUITSTORE_{limit}, which may be raised, left" in done.stderr


def test_columns_that_are_not_there_are_told_before_a_key_is_made(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    said = refused(2, "keys", "add", "me", "--columns", "kay", CIRCUITSTORE_KEYS=str(keys))
    assert "--columns: no column 'kay'; there are id, name, scopes, key" in said
    assert not keys.exists()
    assert run("keys", "add", "me", "--columns", "key", CIRCUITSTORE_KEYS=str(keys)).stdout.startswith("cs_")
