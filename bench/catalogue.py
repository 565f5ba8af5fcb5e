"""Every query of the catalogue with its default parameters, through the catalogue and by the raw driver.

A generated store of a million edges: prompt circuits and a few of tasks over shared features, one circuit ten times as
large, with ablations, matches and clusters. Each query gets its example's arguments. Neo4j is measured too where
CIRCUITSTORE_TEST_NEO4J_URI names a server that may be emptied, or with --neo4j, from its jars.
"""

import argparse
import gc
import os
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing, nullcontext
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from bench.paths_http import Ask, ladybug, neo4j, neo4j_servers
from bench.report import heading
from queries.catalogue import catalogue
from queries.parameters import Value
from store.bundle import open_bundle, write_bundle
from store.database import Store, open_store
from tests.graphs import random_tables

NODES, INPUTS = 500, 10
"""Of a circuit, and edges into a node: about 4,600 edges in all."""
LAYERS, FEATURES = 8, 300
WANTED, WANTED_OF_PATHS = 100, 50
"""Milliseconds at the 95th percentile; the second for paths of so many hops, which are 4 by default."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--edges", type=int, default=1_000_000, help="size of the store")
    options.add_argument("--repeats", type=int, default=40, help="runs of each query")
    options.add_argument("--queries", nargs="+", metavar="NAME", help="only these")
    options.add_argument("--keep", type=Path, help="folder of the bundles and the LadybugDB store, used again if there")
    options.add_argument("--neo4j", action="store_true", help="start a Neo4j and measure it too")
    given = options.parse_args()
    names = given.queries or [query.name for query in catalogue()]
    gc.collect()
    gc.freeze()  # as the service does
    heading(f"Every query at {given.edges:,} edges: through the catalogue, against the raw driver with the same text")
    with nullcontext(given.keep) if given.keep else tempfile.TemporaryDirectory() as folder:
        bundles = made(Path(folder), given.edges)
        url = f"ladybug:{folder}/store.lbug"
        load(url, bundles)
        with ladybug(url) as raw, closing(open_store(url, read_only=True)) as store:
            measure("LadybugDB", store, raw, names, given.repeats)
        for neo4j_url in neo4j_servers(given.neo4j, Path(folder) / "neo4j"):
            load(neo4j_url, bundles)
            with neo4j(neo4j_url) as raw, closing(open_store(neo4j_url, read_only=True)) as store:
                measure("Neo4j", store, raw, names, given.repeats)


def made(folder: Path, edges: int) -> list[Path]:
    """Bundles of a million edges and more: the large circuit stands in the last."""
    folder.mkdir(parents=True, exist_ok=True)
    circuits = max(2, edges // 4_600 - 9)
    bundles = []
    for seed, (n_circuits, size) in enumerate([(circuits // 2, 1), (circuits - circuits // 2, 1), (1, 10)]):
        path = folder / f"bundle-{seed}"
        if not path.exists():
            write_bundle(path, tables(seed, n_circuits, size * NODES), {})
        bundles.append(path)
    return bundles


def tables(seed: int, n_circuits: int, n_nodes: int) -> dict[str, pa.Table]:
    """A task's circuit and those of its prompts, of features that recur, and so do the edges between them."""
    made = random_tables(
        seed, n_circuits, n_nodes=n_nodes, n_edges=0, n_features=FEATURES, n_layers=LAYERS, analyses=True
    )
    rng = np.random.default_rng(seed)
    made["ATTRIBUTES_TO"] = edges = recurring_edges(made["CircuitNode"], made["IN_CIRCUIT"], rng)
    circuits, task = made["Circuit"]["uid"], made["Task"]["uid"][0].as_py()
    circuit_of = dict(zip(*made["IN_CIRCUIT"].to_pydict().values(), strict=True))
    counts = Counter(circuit_of[uid] for uid in edges["target"].to_pylist())
    made["Circuit"] = _with(made["Circuit"], n_edges=[counts[uid] for uid in circuits.to_pylist()])
    made["FOR_TASK.Circuit-Task"] = pa.table({"source": circuits, "target": [task] * len(circuits)})
    for name in ("MATCHES", "MATCHED"):
        made[name] = _with(made[name], method=["sae_match"] * made[name].num_rows)
    made["MATCHES"] = _with(made["MATCHES"], reverse_rank=[1] * made["MATCHES"].num_rows)
    return made


def recurring_edges(nodes: pa.Table, in_circuit: pa.Table, rng: np.random.Generator) -> pa.Table:
    """Each node is entered from those below it in its circuit that its feature likes best, in every circuit the same.

    Weights fall off as those of real circuits do, and about a hundred edges of a circuit were observed.
    """
    uids = np.array(nodes["uid"].to_pylist())
    layer = nodes["layer"].to_numpy()
    slot = np.where(layer < 0, 0, layer) * FEATURES + np.nan_to_num(nodes["index"].to_numpy()).astype(int) % FEATURES
    likes = np.random.default_rng(7).random((LAYERS * FEATURES + FEATURES, LAYERS * FEATURES), dtype=np.float32)
    circuit = np.array(in_circuit["target"].to_pylist())
    source, target = [], []
    for name in np.unique(circuit):
        members = np.flatnonzero(circuit == name)
        for at in range(LAYERS + 1):
            above, below = members[layer[members] == at], members[layer[members] < at]
            n = min(len(below), INPUTS * (5 if at == LAYERS else 1))
            best = np.argpartition(-likes[slot[above]][:, slot[below]], n - 1, axis=1)[:, :n]
            source.append(below[best].ravel())
            target.append(above.repeat(n))
    weight = rng.laplace(0, 0.03, sum(map(len, source)))
    return pa.table(
        {
            "source": uids[np.concatenate(source)],
            "target": uids[np.concatenate(target)],
            "weight": weight,
            "observed": pa.array(weight * rng.normal(1, 0.3, len(weight)), mask=np.arange(len(weight)) % 46 > 0),
        }
    )


def _with(table: pa.Table, **columns: object) -> pa.Table:
    for name, values in columns.items():
        field = table.schema.field(name)
        table = table.set_column(table.column_names.index(name), field, pa.array(values, field.type))
    return table


def load(url: str, bundles: list[Path]) -> None:
    with closing(open_store(url)) as store:
        for bundle in bundles:
            store.load(open_bundle(bundle))


def measure(title: str, store: Store, raw: Ask, names: list[str], repeats: int) -> None:
    print(f"  {title} ({os.getloadavg()[0]:.1f} processes wait for {os.cpu_count()} cores)")
    print(f"    {'':<26} {'rows':>6} {'p50 ms':>8} {'p95 ms':>8} {'cpu ms':>8} {'raw p50':>9}   ratio", flush=True)
    missed = []
    for name in names:
        query = catalogue()[name]
        example = catalogue().example(store, name)
        text, bound = query.text(store.dialect, query.arguments(example))
        rows = len(catalogue().run(store, name, example).rows)
        ours, theirs, cpu = timed(store, name, example, partial(raw, text, bound), repeats)
        p50, p95, other = statistics.median(ours), quantile(ours), statistics.median(theirs)
        wanted = WANTED_OF_PATHS if "max_hops" in query.params else WANTED
        note = "" if p95 <= wanted else f"  above {wanted} ms"
        missed += [name] if note else []
        print(
            f"    {name:<26} {rows:6} {p50:8.1f} {p95:8.1f} {cpu:8.1f} {other:9.1f} {p50 / other:6.2f} ×{note}",
            flush=True,
        )
    print(f"    {len(names) - len(missed)} of {len(names)} as fast as wanted at the 95th percentile", flush=True)


def timed(
    store: Store, name: str, example: Mapping[str, Value], raw: Callable[[], object], repeats: int
) -> tuple[list[float], list[float], float]:
    """Milliseconds of each run either way, in turn, and of our own CPU time; the first ones warm both up."""
    ours, theirs, cpu = [], [], []
    for n in range(-3, repeats):
        used, start = time.process_time(), time.perf_counter()
        catalogue().run(store, name, example)
        middle, used = time.perf_counter(), time.process_time() - used
        raw()
        end = time.perf_counter()
        if n >= 0:
            ours.append((middle - start) * 1e3)
            theirs.append((end - middle) * 1e3)
            cpu.append(used * 1e3)
    return ours, theirs, statistics.median(cpu)


def quantile(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


if __name__ == "__main__":
    main()
