"""Importing attribution graphs: time and memory against json.load and networkx, which hold the file and keep nothing.

    python -m bench.imports [--megabytes 400] [--folder FOLDER]

Each side runs in a process of its own, on the same file; memory is the largest resident set. Ours reads, checks and
writes a bundle. --folder: real graphs, of which every node and link is counted by plain Python and in the bundle.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from bench.report import compare, heading

_MEASURED = """
import json, resource, sys, time
start = time.perf_counter()
{work}
factor = 1 if sys.platform == "darwin" else 1024
print(json.dumps([time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * factor]))
"""
_OURS = """
from pathlib import Path
from ingest.formats.importing import import_all
for bundle in import_all([{file!r}], "attribution-graph", Path({out!r})): pass
"""
_THEIRS = """
import networkx
said = json.load(open({file!r}))
graph = networkx.DiGraph()
graph.add_nodes_from((node["node_id"], node) for node in said["nodes"])
graph.add_edges_from((link["source"], link["target"], link) for link in said["links"])
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--megabytes", type=int, default=400, help="size of the file to import; 1700 is a real one's")
    options.add_argument("--folder", type=Path, help="a folder of real graphs to account for instead")
    given = options.parse_args()
    if given.folder is not None:
        sys.exit(account(given.folder))
    from tests.ingest.formats.graphs import write_large

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "large.json"
        links = write_large(file, given.megabytes)
        size = file.stat().st_size
        heading(f"Importing an attribution graph of {size / 1e6:,.0f} MB, {links:,} links")
        ours, our_memory = _measured(_OURS.format(file=str(file), out=folder))
        theirs, their_memory = _measured(_THEIRS.format(file=str(file)))
        compare("into a bundle, checked and on disk", [ours], "json.load and networkx, in memory", [theirs])
        print(f"  {size / 1e6 / ours:.0f} MB/s against {size / 1e6 / theirs:.0f} MB/s")
        print(f"  {our_memory / 2**20:,.0f} MiB against {their_memory / 2**20:,.0f} MiB: "
              f"{their_memory / our_memory:.1f} × less")  # fmt: skip


def account(folder: Path) -> int:
    """Prints, of each graph, what plain Python counts in it and what the bundle holds. Returns 1 if any differs."""
    from ingest.formats.importing import import_all

    files = sorted(folder.glob("*.json"))
    heading(f"{len(files)} attribution graphs: nodes and links in the file, and in the bundle")
    wrong, start = 0, time.perf_counter()
    with tempfile.TemporaryDirectory() as out:
        for file in files:
            said = json.loads(file.read_text())
            ids = Counter(node["node_id"] for node in said["nodes"])
            unclear = sum(ids[link["source"]] > 1 or ids[link["target"]] > 1 for link in said["links"])
            (bundle,) = import_all([str(file)], "attribution-graph", Path(out))
            edges = bundle.table("ATTRIBUTES_TO")
            weights = Counter(link["weight"] for link in said["links"])
            same = bundle.table("CircuitNode").num_rows == len(said["nodes"]) and (
                unclear > 0 or Counter(edges["weight"].to_pylist()) == weights
            )
            wrong += not same
            print(f"  {file.name:<32} {len(said['nodes']):6,} nodes {len(said['links']):8,} links | "
                  f"{bundle.table('CircuitNode').num_rows:6,} {edges.num_rows:8,}, {unclear} ambiguous"
                  f"{'' if same else '  DIFFERS'}")  # fmt: skip
    print(f"  {len(files) - wrong} of {len(files)} accounted for, in {time.perf_counter() - start:.1f} s")
    return int(wrong > 0)


def _measured(work: str) -> tuple[float, int]:
    """Seconds and bytes of a process that does this."""
    done = subprocess.run([sys.executable, "-c", _MEASURED.format(work=work)], stdout=subprocess.PIPE, check=True)
    seconds, memory = json.loads(done.stdout)
    return float(seconds), int(memory)


if __name__ == "__main__":
    main()
