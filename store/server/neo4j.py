"""Runs a Neo4j server from its jars: configuration, start, password, stop.

Knows nothing of what is stored in it.
"""

import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from neo4j import GraphDatabase
from neo4j.exceptions import AuthError, Neo4jError

from store.errors import StoreError
from store.server.jars import jars
from store.server.java import java

USER = "neo4j"
HOST = "127.0.0.1"
START_S = 180
STOP_S = 60
_FACTORY_PASSWORD = "neo4j"
_OPENED = ("java.nio", "java.io", "sun.nio.ch", "java.util.concurrent")


@dataclass(frozen=True)
class Server:
    """A running server. `password` is None where an earlier run set one and this run was not told it."""

    home: Path
    bolt_port: int
    http_port: int
    password: str | None
    generated: bool

    @property
    def url(self) -> str:
        return f"bolt://{HOST}:{self.bolt_port}"

    @property
    def browser(self) -> str:
        return f"http://{HOST}:{self.http_port}/browser/"


def opening_on(service: str) -> dict[str, str]:
    """Settings with which the Browser opens on our graph. service: URL of the HTTP service, which it asks for them."""
    command = f"style {service}/neo4j/circuits.grass; play {service}/neo4j/guide.html"
    host = urlsplit(service).hostname or HOST
    return {"browser.post_connect_cmd": command, "browser.remote_content_hostname_whitelist": host}


@contextmanager
def running(
    home: Path,
    *,
    password: str | None = None,
    ports: tuple[int, int] = (0, 0),
    settings: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Start a server whose data lie in `home`; yield it once Bolt answers; stop it with SIGTERM.

    password: set on a fresh server, expected of one that has one; made up where there is none yet and None is given.
    ports: Bolt and HTTP, used if free, otherwise (and for 0) a free one is picked.
    settings: further lines of neo4j.conf.
    Raises StoreError where Java or Maven is missing, the server does not start, or it has another password.
    """
    runtime, lib = java(), jars()
    bolt, http = (free_port(port) for port in ports)
    _write_home(home, bolt, http, settings or {})
    console = home / "logs" / "console.log"
    with console.open("wb") as log:
        process = subprocess.Popen(
            _command(runtime, lib, home), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait(process, http, console)
        yield _with_password(home, bolt, http, password)
    finally:
        _stop(process)


def _command(runtime: Path, lib: Path, home: Path) -> list[str]:
    # setpriv makes the kernel stop the server when this process dies, be it by SIGKILL.
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    tied = [setpriv, "--pdeathsig", "TERM"] if setpriv else []
    opened = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED]
    entry = "org.neo4j.server.CommunityEntryPoint"
    folders = [f"--home-dir={home}", f"--config-dir={home / 'conf'}"]
    return [*tied, str(runtime), "-cp", f"{lib}/*", "-Xms512m", "-Xmx1g", *opened, entry, *folders]


def _write_home(home: Path, bolt: int, http: int, settings: Mapping[str, str]) -> None:
    for name in ("conf", "data", "logs", "plugins", "import", "run"):
        (home / name).mkdir(parents=True, exist_ok=True)
    lines = {
        "server.default_listen_address": HOST,
        "server.bolt.listen_address": f"{HOST}:{bolt}",
        "server.bolt.advertised_address": f"{HOST}:{bolt}",  # the one the Browser connects to
        "server.http.listen_address": f"{HOST}:{http}",
        "server.memory.heap.max_size": "1g",
        "server.memory.pagecache.size": "512m",
        "dbms.usage_report.enabled": "false",
        "client.allow_telemetry": "false",
        **settings,
    }
    (home / "conf" / "neo4j.conf").write_text("".join(f"{name}={value}\n" for name, value in lines.items()))


def free_port(wanted: int = 0) -> int:
    """The wanted port where nothing listens there; else one that the system picks."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise StoreError(f"no free port on {HOST}")


def _wait(process: "subprocess.Popen[bytes]", http: int, console: Path) -> None:
    """Until HTTP answers, which Neo4j opens after Bolt: no login is tried, since failed ones lock a user out."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"http://{HOST}:{http}/", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    lines = console.read_text(errors="replace").splitlines()
    told = "\n".join([line for line in lines if not line.startswith("\t")][-8:])  # stack traces left out
    ended = process.poll() is not None
    why = f"ended with exit code {process.returncode}" if ended else f"was silent for {START_S} s"
    raise StoreError(f"Neo4j did not start: it {why}. The end of {console}:\n{told}")


def _with_password(home: Path, bolt: int, http: int, password: str | None) -> Server:
    mark = home / "password-is-set"
    if password is None and mark.exists():
        return Server(home, bolt, http, None, generated=False)
    wanted = password or secrets.token_urlsafe(12)
    url = f"bolt://{HOST}:{bolt}"
    if not mark.exists():
        _replace_factory_password(url, wanted)
        mark.touch()
    try:
        with GraphDatabase.driver(url, auth=(USER, wanted)) as driver:
            driver.verify_connectivity()
    except AuthError as refused:
        raise StoreError(
            f"the Neo4j whose data lie in {home} has another password: set CIRCUITSTORE_NEO4J_PASSWORD to the one it "
            "had first, or remove that folder to start empty"
        ) from refused
    return Server(home, bolt, http, wanted, generated=password is None)


def _replace_factory_password(url: str, wanted: str) -> None:
    try:
        with GraphDatabase.driver(url, auth=(USER, _FACTORY_PASSWORD)) as driver:
            driver.execute_query(
                "ALTER CURRENT USER SET PASSWORD FROM $old TO $new",
                {"old": _FACTORY_PASSWORD, "new": wanted},
                database_="system",
            )
    except AuthError:
        return  # it has a password already; the login that follows tells whether it is the wanted one
    except Neo4jError as refused:
        raise StoreError(f"Neo4j refused the password of CIRCUITSTORE_NEO4J_PASSWORD: {refused.message}") from refused


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
