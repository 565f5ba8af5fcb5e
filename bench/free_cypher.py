"""What it costs to ask free Cypher in a process of its own, and what stands between a client and the routes.

Each pair alternates, so that both meet the same machine. Neo4j is measured where CIRCUITSTORE_TEST_NEO4J_URI names one
that may be emptied.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from pathlib import Path

import neo4j
from fastapi import FastAPI
from starlette.types import Message

from api.protection import protect
from api.settings import Settings
from bench.report import compare, heading
from store.cypher.answer import Limits
from store.cypher.asking import FreeCypher
from store.database import open_store
from store.errors import LimitError
from store.settings import read_settings
from tests.queries.loading import load_world

TEXT = (
    "MATCH (a:CircuitNode)-[e:ATTRIBUTES_TO]->(b:CircuitNode) RETURN a.uid, e.weight, b.uid ORDER BY e.weight LIMIT 100"
)
LIMITS = Limits(timeout=10, rows=10_000, bytes=2**23)
REPEATS = 200


def main() -> None:
    heading("Free Cypher: 100 rows, in a process of its own against the store itself")
    with tempfile.TemporaryDirectory() as folder:
        urls = [f"ladybug:{folder}/store.lbug"]
        if given := os.environ.get("CIRCUITSTORE_TEST_NEO4J_URI"):
            empty(given)
            urls.append(given)
        for url in urls:
            with closing(open_store(url)) as store:
                load_world(store, Path(folder) / url.partition(":")[0], range(4))
            measure(url)
    heading("A request's way to a route: keys not needed, hosts, sizes, clients that go, headers")
    asyncio.run(measure_the_way())


def empty(url: str) -> None:
    settings = read_settings()
    auth = (settings.neo4j_user, settings.neo4j_password.get_secret_value())
    with neo4j.GraphDatabase.driver(url, auth=auth) as driver:
        driver.execute_query("MATCH (n) DETACH DELETE n")


def measure(url: str) -> None:
    print(f"{url.partition(':')[0]}")
    with (
        closing(open_store(url, read_only=True)) as store,
        FreeCypher(url, at_once=1, memory=2**28) as free,
    ):
        first = clock(lambda: free.ask(TEXT, {}, LIMITS))
        asked, run = [], []
        for _ in range(REPEATS):
            asked.append(clock(lambda: free.ask(TEXT, {}, LIMITS)))
            run.append(clock(lambda: store.run(TEXT, timeout=10, row_limit=10_000)))
        compare("free Cypher", asked, "the store itself", run)
        print(f"  first question, which starts the process      {first:10.4f} s")
        refused = clock(lambda: free_refuses(free))
        print(f"  a statement that is refused                   {refused:10.4f} s")
        over = clock(lambda: ends(free))
        print(f"  a statement without end, with 1 s to take     {over:10.4f} s")


def free_refuses(free: FreeCypher) -> None:
    with suppress(Exception):
        free.ask("MATCH (n) SET n.uid = 'x'", {}, LIMITS)


def ends(free: FreeCypher) -> None:
    with suppress(LimitError):
        free.ask("UNWIND range(1, 1000000) AS a UNWIND range(1, 1000000) AS b RETURN count(*)", {}, Limits(1, 1, 1000))


async def measure_the_way() -> None:
    bare, protected = app(), app()
    protect(protected, Settings(host="127.0.0.1", hosts="", require_keys=None))
    times: dict[int, list[float]] = {0: [], 1: []}
    for _ in range(3000):
        for i, one in enumerate((bare, protected)):
            start = time.perf_counter()
            await get(one)
            times[i].append(time.perf_counter() - start)
    cost = (statistics.median(times[1]) - statistics.median(times[0])) * 1e6
    compare("protected", times[1], "not protected", times[0])
    print(f"  {cost:.0f} µs a request")


def app() -> FastAPI:
    made = FastAPI()

    @made.get("/x")
    async def x() -> str:
        return "x"

    return made


async def get(application: Callable[..., Awaitable[None]]) -> None:
    messages = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if messages:
            return messages.pop()
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def send(_: Message) -> None: ...

    headers = [(b"host", b"localhost")]
    scope = {
        "type": "http", "method": "GET", "path": "/x", "raw_path": b"/x", "root_path": "", "query_string": b"",
        "headers": headers, "client": ("127.0.0.1", 1), "http_version": "1.1", "scheme": "http",
    }  # fmt: skip
    await application(scope, receive, send)


def clock(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
