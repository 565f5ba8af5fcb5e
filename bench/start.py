"""How long the service takes from its command to its first answer, against importing what it is made with.

The answer is that of /ready, which asks the database. The alternative is a process that imports FastAPI, uvicorn,
pyarrow and LadybugDB, and does nothing.
"""

import argparse
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from bench.paths_http import EDGES_PER_CIRCUIT, load, tables
from bench.report import compare, heading, seconds
from bench.service import service
from store.bundle import write_bundle

IMPORTS = "import fastapi_offline, ladybug, pyarrow, uvicorn"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--edges", type=int, default=100_000, help="size of the store")
    options.add_argument("--repeats", type=int, default=5)
    given = options.parse_args()
    heading(f"`circuitstore serve` on {given.edges:,} edges, from the command to the first answer of /ready")
    with tempfile.TemporaryDirectory() as folder:
        write_bundle(f"{folder}/bundle", tables(max(1, given.edges // EDGES_PER_CIRCUIT)), {})
        url = f"ladybug:{folder}/store.lbug"
        load(url, Path(folder) / "bundle")
        took = [_first_answer(url) for _ in range(given.repeats)]
        imports = seconds(lambda: subprocess.run([sys.executable, "-c", IMPORTS], check=True), given.repeats)
    compare("circuitstore serve, first answer", took, "imports alone", imports)
    print(f"  slowest of {given.repeats}: {max(took):.2f} s", flush=True)


def _first_answer(url: str) -> float:
    started = time.perf_counter()
    with service(url) as served, urllib.request.urlopen(f"{served.url}/ready") as response:
        assert response.status == 200
        response.read()
        return time.perf_counter() - started


if __name__ == "__main__":
    main()
