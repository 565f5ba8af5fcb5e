"""Kills loads with SIGKILL at random moments, a hundred by default, and resumes each: the digest must always be right.

Not a measurement but a proof, too long for the test suite; it prints where the kills fell. With
--neo4j it does the same on an empty server: the one that CIRCUITSTORE_TEST_NEO4J_URI names, or one from its jars.
"""

import argparse
import os
import random
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from bench.load_neo4j import server
from bench.report import heading
from store.bundle import Bundle
from store.database import open_store
from tests.graphs import random_bundle
from tests.store.kills import killed, undisturbed


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=100, help="kills of each database")
    options.add_argument("--neo4j", action="store_true", help="start a Neo4j and kill its loads too")
    given = options.parse_args()
    heading("Loads killed at random, then resumed")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        bundle = random_bundle(Path(folder, "bundle"), n_circuits=1, n_nodes=300, n_edges=1500, n_features=30)
        before = random_bundle(Path(folder, "before"), 9, n_nodes=60, n_edges=100, n_features=20)
        urls = [f"ladybug:{folder}/store.lbug"]
        if given.neo4j:
            url, settings = stack.enter_context(server(Path(folder, "neo4j")))
            os.environ["CIRCUITSTORE_NEO4J_PASSWORD"] = settings.neo4j_password.get_secret_value()
            urls.append(url)
        wrong = sum(kill(url, bundle, before, given.kills) for url in urls)
    sys.exit(1 if wrong else 0)


def kill(url: str, bundle: Bundle, before: Bundle, kills: int) -> int:
    """Returns how often the digest was wrong."""
    circuits = bundle.table("Circuit")["uid"].to_pylist()
    with open_store(url) as store:
        store.load(before)
    full = undisturbed("load", url, bundle.path)
    with open_store(url) as store:
        wanted = store.digest()
    rng = random.Random(0)
    fell: Counter[str] = Counter()
    while fell["before the end"] + fell["after the end"] < kills:
        with open_store(url) as store:
            for circuit in circuits:
                store.delete(circuit)
        done = killed("load", url, bundle.path, rng.uniform(0, 1.1 * full))
        with open_store(url) as store:
            shown = store.run("MATCH (c:Circuit) WHERE c.uid IN $uids RETURN count(c) AS n", {"uids": circuits}).rows
            fell["done already" if done else "before the end" if shown == [[0]] else "after the end"] += 1
            store.load(bundle)
            fell["wrong"] += store.digest() != wanted
    told = ", ".join(f"{what}: {n}" for what, n in fell.items())
    print(f"  {url.partition(':')[0]}: {told}", flush=True)
    return fell["wrong"]


if __name__ == "__main__":
    main()
