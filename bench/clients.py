"""Many clients at once, each asking one thing after another: what is refused, how long they wait, what memory it takes.

A generated store; a service in a process of its own; the clients in this one. The answer to be had is no error but 503
(or 429) that says when to come back, and memory that does not grow from the first quarter of the time to the last.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx

from bench.paths_http import EDGES_PER_CIRCUIT, LAYERS, PER_LAYER, circuit_uid, load, node_uid, tables
from bench.report import heading
from bench.service import Served, service
from store.bundle import write_bundle

HONEST = {200, 304, 429, 503}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--clients", type=int, default=200)
    options.add_argument("--seconds", type=float, default=120)
    options.add_argument("--edges", type=int, default=100_000, help="size of the store")
    options.add_argument("--store", help="URL of an empty store, in place of an embedded one")
    given = options.parse_args()
    heading(f"{given.clients} clients for {given.seconds:g} s on {given.edges:,} edges")
    circuits = max(1, given.edges // EDGES_PER_CIRCUIT)
    with tempfile.TemporaryDirectory() as folder:
        write_bundle(f"{folder}/bundle", tables(circuits), {})
        url = given.store or f"ladybug:{folder}/store.lbug"
        load(url, Path(folder) / "bundle")
        with service(url) as served:
            asyncio.run(_ask(served, circuits, given.clients, given.seconds))


async def _ask(served: Served, circuits: int, clients: int, seconds: float) -> None:
    statuses: Counter[str] = Counter()
    times: list[float] = []
    ends = time.monotonic() + seconds
    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
    async with httpx.AsyncClient(base_url=served.url, limits=limits, timeout=120) as client:

        async def one(number: int) -> None:
            for path in _paths(random.Random(number), circuits):
                if time.monotonic() > ends:
                    return
                started = time.perf_counter()
                try:
                    response = await client.get(path)
                except httpx.HTTPError as error:
                    statuses[type(error).__name__] += 1
                    continue
                times.append(time.perf_counter() - started)
                honest = response.status_code != 503 or "retry-after" in response.headers
                statuses[str(response.status_code) if honest else "503 without Retry-After"] += 1
                if response.status_code not in HONEST:
                    print(f"  {response.status_code} {path}: {response.text[:200]}")

        memory = asyncio.create_task(_memory(served, seconds))
        await asyncio.gather(*(one(number) for number in range(clients)))
        early, late = await memory
    p50, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
    print(f"  {len(times) / seconds:.0f} requests/s: {dict(statuses)}")
    print(f"  p50 {p50 * 1e3:.0f} ms   p95 {p95 * 1e3:.0f} ms   longest {max(times) * 1e3:.0f} ms")
    print(f"  memory after a quarter of the time {early >> 20} MiB, at the end {late >> 20} MiB: {late / early:.2f} ×")


def _paths(rng: random.Random, circuits: int) -> Iterator[str]:
    """Without end: what a page or a notebook asks."""
    while True:
        circuit = rng.randrange(circuits)
        node = node_uid(circuit, LAYERS - 1, rng.randrange(PER_LAYER))
        yield rng.choice(
            [
                f"/circuits/{circuit_uid(circuit)}",
                f"/circuits/{circuit_uid(circuit)}/graph",
                f"/circuits/{circuit_uid(circuit)}/graph?around={node}&hops=2",
                "/circuits?limit=20&sort=-n_edges",
                f"/features?layer={rng.randrange(LAYERS)}&limit=50&format=csv",
                f"/queries/upstream_paths?node={node}&min_weight=0.05",
                f"/queries/top_nodes?circuit={circuit_uid(circuit)}&format=ndjson",
            ]
        )


async def _memory(served: Served, seconds: float) -> tuple[int, int]:
    """The service's memory after a quarter of the time, and at its end."""
    await asyncio.sleep(seconds / 4)
    early = served.memory()
    await asyncio.sleep(seconds * 3 / 4)
    return early, served.memory()


if __name__ == "__main__":
    main()
