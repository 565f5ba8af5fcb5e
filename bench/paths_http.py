"""`upstream_paths` through HTTP against the raw driver with the same text: what the service costs.

A generated store of many prompt circuits; a service in a process of its own, one keep-alive connection, one driver
connection; each request is made once either way before the next, so that both meet the same machine. Neo4j is
measured too where CIRCUITSTORE_TEST_NEO4J_URI names a server that may be emptied, or with --neo4j, from its jars.
"""

import argparse
import http.client
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pyarrow as pa

from bench.report import heading
from bench.service import service
from queries.catalogue import catalogue
from store.bundle import open_bundle, write_bundle
from store.database import open_store
from store.server.neo4j import running
from store.settings import StoreSettings

LAYERS, PER_LAYER, INPUTS = 10, 14, 8
"""A circuit: nodes a layer, and edges into each node from the layer below. 1,008 edges."""

EDGES_PER_CIRCUIT = (LAYERS - 1) * PER_LAYER * INPUTS

Ask = Callable[[str, dict[str, Any]], list[list[Any]]]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--edges", type=int, nargs="+", default=[100_000, 1_000_000], help="sizes of the store")
    options.add_argument("--requests", type=int, default=200, help="requests at each size")
    options.add_argument("--min-weight", type=float, nargs="+", default=[0.01, 0.05], help="edges that paths may use")
    options.add_argument("--neo4j", action="store_true", help="start a Neo4j and measure it too")
    given = options.parse_args()
    heading("upstream_paths (up to 4 hops, first 100): HTTP against the raw driver with the same text")
    with tempfile.TemporaryDirectory() as folder:
        for edges in given.edges:
            bundle = Path(folder) / f"bundle-{edges}"
            circuits = max(1, edges // EDGES_PER_CIRCUIT)
            write_bundle(bundle, tables(circuits), {})
            url = f"ladybug:{folder}/{edges}.lbug"
            load(url, bundle)
            with ladybug(url) as raw:
                measure(f"LadybugDB, {edges:,} edges", url, "ladybug", raw, circuits, given)
            for neo4j_url in neo4j_servers(given.neo4j, Path(folder) / "neo4j"):
                load(neo4j_url, bundle)
                with neo4j(neo4j_url) as raw:
                    measure(f"Neo4j, {edges:,} edges", neo4j_url, "neo4j", raw, circuits, given)


def tables(circuits: int) -> dict[str, pa.Table]:
    """Circuits of features whose weights fall off as those of real ones do, in 2,000 shared features a layer."""
    rng = np.random.default_rng(0)
    n = circuits * LAYERS * PER_LAYER
    circuit, layer, slot = (a.ravel() for a in np.mgrid[0:circuits, 0:LAYERS, 0:PER_LAYER])
    index = np.concatenate([rng.choice(2000, PER_LAYER, replace=False) for _ in range(circuits * LAYERS)])
    circuit_uids = np.array([circuit_uid(k) for k in range(circuits)])
    uids = np.array([node_uid(k, j, i) for k, j, i in zip(circuit, layer, slot, strict=True)])
    features = np.array([f"bench:blocks.{j}:{i}" for j, i in zip(layer, index, strict=True)])
    target = np.flatnonzero(layer > 0).repeat(INPUTS)
    inputs = [rng.choice(PER_LAYER, INPUTS, replace=False) for _ in range(len(target) // INPUTS)]
    source = target - slot[target] - PER_LAYER + np.concatenate(inputs)
    distinct, first = np.unique(features, return_index=True)
    return {
        "Feature": pa.table({"uid": distinct, "layer": layer[first], "index": index[first]}),
        "Circuit": pa.table(
            {
                "uid": circuit_uids,
                "name": circuit_uids,
                "method": ["generated"] * circuits,
                "aggregation": ["prompt"] * circuits,
                "n_nodes": [LAYERS * PER_LAYER] * circuits,
                "n_edges": [EDGES_PER_CIRCUIT] * circuits,
            }
        ),
        "CircuitNode": pa.table(
            {"uid": uids, "kind": ["feature"] * n, "layer": layer, "index": index, "position": slot,
             "effect": rng.laplace(0, 0.03, n)}
        ),
        "ATTRIBUTES_TO": pa.table(
            {"source": uids[source], "target": uids[target], "weight": rng.laplace(0, 0.03, len(source))}
        ),
        "IN_CIRCUIT": pa.table({"source": uids, "target": circuit_uids[circuit]}),
        "INSTANCE_OF": pa.table({"source": uids, "target": features}),
    }  # fmt: skip


def circuit_uid(circuit: int) -> str:
    return f"prompt-{circuit}:bench:{circuit:08x}"


def node_uid(circuit: int, layer: int, slot: int) -> str:
    return f"{circuit_uid(circuit)}:feature:{layer}:{slot}"


def load(url: str, bundle: Path) -> None:
    with closing(open_store(url)) as store:
        store.load(open_bundle(bundle))


def measure(title: str, url: str, dialect: str, raw: Ask, circuits: int, given: argparse.Namespace) -> None:
    query = catalogue()["upstream_paths"]
    rng = np.random.default_rng(1)
    with service(url) as at, closing(http.client.HTTPConnection(at.host, at.port)) as connection:
        for min_weight in given.min_weight:
            direct, served, rows = [], [], []
            for n in range(-10, given.requests):
                node = node_uid(int(rng.integers(circuits)), LAYERS - 1, int(rng.integers(PER_LAYER)))
                arguments = {"node": node, "min_weight": min_weight}
                text, bound = query.text(dialect, query.arguments(arguments))
                start = time.perf_counter()
                expected = raw(text, bound)
                middle = time.perf_counter()
                body = get(connection, f"/queries/upstream_paths?{urlencode(arguments)}")
                end = time.perf_counter()
                assert [row["nodes"] for row in json.loads(body)["rows"]] == [row[-1] for row in expected]
                if n >= 0:  # the first ones warm both up
                    direct.append(middle - start)
                    served.append(end - middle)
                    rows.append(len(expected))
            report(f"{title}, min_weight {min_weight}", statistics.mean(rows), direct, served)


def report(title: str, rows: float, direct: list[float], served: list[float]) -> None:
    print(f"  {title}: {rows:.0f} rows on average")
    for name, times in (("raw driver", direct), ("HTTP", served)):
        p95 = statistics.quantiles(times, n=20)[-1]
        print(f"    {name:<12} p50 {statistics.median(times) * 1e3:7.2f} ms   p95 {p95 * 1e3:7.2f} ms")
    print(
        f"    HTTP / raw driver at the median: {statistics.median(served) / statistics.median(direct):.2f} ×",
        flush=True,
    )


def get(connection: http.client.HTTPConnection, path: str) -> bytes:
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    assert response.status == 200, body
    return body


@contextmanager
def ladybug(url: str) -> Iterator[Ask]:
    import ladybug

    database = ladybug.Database(url.removeprefix("ladybug:"), read_only=True)
    connection = ladybug.Connection(database)

    def ask(text: str, bound: dict[str, Any]) -> list[list[Any]]:
        result: Any = connection.execute(text, bound)
        rows: list[list[Any]] = result.get_all()
        return rows

    yield ask
    connection.close()
    database.close()


@contextmanager
def neo4j(url: str) -> Iterator[Ask]:
    from neo4j import GraphDatabase

    settings = StoreSettings()
    with (
        GraphDatabase.driver(
            url,
            auth=(settings.neo4j_user, settings.neo4j_password.get_secret_value()),
            notifications_min_severity="OFF",
        ) as driver,
        driver.session() as session,
    ):

        def ask(text: str, bound: dict[str, Any]) -> list[list[Any]]:
            return [list(record) for record in session.run(text, bound)]

        yield ask


def neo4j_servers(start: bool, home: Path) -> Iterator[str]:
    """The URL of an empty Neo4j, if one is to be measured."""
    named = os.environ.get("CIRCUITSTORE_TEST_NEO4J_URI")
    if named:
        empty(named)
        yield named
        empty(named)
    elif start:
        password = os.environ.setdefault("CIRCUITSTORE_NEO4J_PASSWORD", "circuitstore-bench")
        with running(home, password=password) as server:
            empty(server.url)
            yield server.url


def empty(url: str) -> None:
    with neo4j(url) as ask:
        ask("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 1000 ROWS", {})


if __name__ == "__main__":
    main()
