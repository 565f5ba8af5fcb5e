"""Loads and deletes in a process of their own, which is killed at a moment of the caller's choice.

`python -m tests.store.kills load URL BUNDLE BATCH` says "begun" on stdout when the store is open, then does the work.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from store.bundle import open_bundle
from store.database import open_store
from tests.graphs import random_bundle  # noqa: F401 (a module that both need is imported before "begun")

BATCH = 50
"""Rows a transaction, small enough for many of them."""


def main(job: str, url: str, what: str, batch: str) -> None:
    if not url.startswith("ladybug:"):
        import store.neo4j as adapter

        adapter.BATCH = int(batch)
    with open_store(url) as store:
        bundle = open_bundle(what) if job == "load" else None
        print("begun", flush=True)
        if bundle:
            store.load(bundle)
        else:
            store.delete(what)
    print("done", flush=True)


def undisturbed(job: str, url: str, what: object) -> float:
    """Do the job in another process; returns the seconds that it took there."""
    with _begun(job, url, what) as process:
        start = time.perf_counter()
        assert process.stdout is not None
        assert process.stdout.readline() == "done\n"
        return time.perf_counter() - start


def killed(job: str, url: str, what: object, after: float) -> bool:
    """Do the job in another process and kill it `after` seconds; returns whether it was done by then."""
    with _begun(job, url, what) as process:
        time.sleep(after)
        process.kill()
        assert process.stdout is not None
        return process.stdout.read() == "done\n"


@contextmanager
def _begun(job: str, url: str, what: object) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "tests.store.kills", job, url, str(what), str(BATCH)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        yield process


if __name__ == "__main__":
    main(*sys.argv[1:])
