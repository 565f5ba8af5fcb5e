"""`python -m store.server`: a Neo4j in the foreground, its data kept between runs. Ctrl-C stops it."""

import os
import signal
import sys
from pathlib import Path
from types import FrameType

import platformdirs

from store.errors import CircuitstoreError
from store.server.neo4j import HOST, USER, Server, opening_on, running

PORTS = (7687, 7474)


def main() -> int:
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, _interrupt)
    default = platformdirs.user_data_path("circuitstore", appauthor=False) / "neo4j"
    home = Path(os.environ.get("CIRCUITSTORE_NEO4J_HOME") or default).absolute()
    try:
        print("Starting Neo4j …", file=sys.stderr, flush=True)
        password = os.environ.get("CIRCUITSTORE_NEO4J_PASSWORD") or None
        service = f"http://{HOST}:{os.environ.get('CIRCUITSTORE_PORT') or 8000}"
        with running(home, password=password, ports=PORTS, settings=opening_on(service)) as server:
            print(_greeting(server), flush=True)
            signal.pause()
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
    except CircuitstoreError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    print("Stopping (Neo4j takes about ten seconds) …", file=sys.stderr, flush=True)
    raise KeyboardInterrupt


def _greeting(server: Server) -> str:
    if server.generated:
        password = f"{server.password}   (made up just now and not shown again)"
    elif server.password is None:
        password = "the one shown at the first start (lost? remove the data folder, and load the bundles anew)"
    else:
        password = "as in CIRCUITSTORE_NEO4J_PASSWORD"
    wanted = zip(PORTS, (server.bolt_port, server.http_port), strict=True)
    taken = " and ".join(str(port) for port, got in wanted if port != got)
    why = f"   (something else listens at {taken})" if taken else ""
    return f"""
Neo4j answers at  {server.url}{why}
Browser           {server.browser}
User              {USER}
Password          {password}
Data              {server.home}

In another terminal:
    export CIRCUITSTORE_STORE={server.url}
    read -rs CIRCUITSTORE_NEO4J_PASSWORD && export CIRCUITSTORE_NEO4J_PASSWORD
    circuitstore circuits
    circuitstore serve        # with it, the Browser opens on the graph in our colours, with a guide

Ctrl-C stops it; the data stay.
"""


if __name__ == "__main__":
    sys.exit(main())
