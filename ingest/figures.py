"""A bundle's figures by name and step, as a tracker shows them. Knows nothing of trackers."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import Any

from ingest.agreement import agreement, whole_change
from store.bundle import Bundle
from store.uids import slug

Figure = tuple[str, float, int]
"""Name, value, step: for what is measured by size, the number of features kept."""


def figures_of(bundle: Bundle) -> list[Figure]:
    """All of them; of circuits only those of tasks, each under its name where there are several."""
    circuits = [row for row in bundle.table("Circuit").to_pylist() if row["aggregation"] == "task"]
    found: list[Figure] = []
    for circuit, mark in zip(circuits, told_apart(circuits), strict=True):
        before = f"{mark}/" if len(circuits) > 1 else ""
        shown = {"nodes": "n_nodes", "edges": "n_edges", "faithfulness": "faithfulness", "cpr": "cpr", "cmd": "cmd"}
        found += [(before + name, float(circuit[of]), 0) for name, of in shown.items() if circuit[of] is not None]
        found += [(before + name, value, step) for name, value, step in _evidence(bundle, circuit)]
    found += _measured(bundle)
    for row in bundle.table("Clustering").to_pylist():
        before = f"clusters/{row['method']}/{row['basis']}/"
        shown = {name: name for name in ("silhouette", "modularity", "stability", "n_clusters")}
        found += [(before + name, float(row[of]), 0) for name, of in shown.items() if row[of] is not None]
    return found + [(f"rows/{name}", float(entry.rows), 0) for name, entry in bundle.manifest.tables.items()]


def told_apart(circuits: Sequence[dict[str, Any]]) -> list[str]:
    """A name for each circuit, in the characters of uids; with the end of its uid where several are called alike."""
    names = [slug(circuit["name"])[:60] for circuit in circuits]
    often = Counter(names)
    return [
        name if often[name] == 1 else f"{name}-{slug(str(circuit['uid']).rpartition(':')[2])}"
        for name, circuit in zip(names, circuits, strict=True)
    ]


def _measured(bundle: Bundle) -> Iterator[Figure]:
    """F and completeness by size, means over seeds; a size measured twice in a bundle is of two circuits."""
    circuits = {row["source"]: row["target"] for row in bundle.table("TESTS").to_pylist()}
    several = len(set(circuits.values())) > 1
    values: dict[tuple[str, int], list[float]] = defaultdict(list)
    for row in bundle.table("Ablation").to_pylist():
        if row["faithfulness"] is None or row["ablated"] or row["kind"] not in _BY_SIZE:
            continue
        before = f"{circuits[row['uid']]}/" if several else ""
        name = f"{row['kind']}/{row['errors']} errors"
        name += "" if row["baseline"] == "mean" else f"/{row['baseline']}"
        values[before + name, row["n_nodes"]].append(row["faithfulness"])
    return ((name, fmean(some), step) for (name, step), some in sorted(values.items()))


_BY_SIZE = ("faithfulness", "completeness", "random", "pruning")


def _evidence(bundle: Bundle, circuit: dict[str, Any]) -> Iterator[Figure]:
    """How well effects predicted what was observed of this circuit."""
    inside = f"{circuit['uid']}:"
    nodes = [row for row in bundle.table("CircuitNode").to_pylist() if row["uid"].startswith(inside)]
    edges = [row for row in bundle.table("ATTRIBUTES_TO").to_pylist() if row["source"].startswith(inside)]
    whole = whole_change(circuit)
    for what, rows, predicted, seen in (
        ("nodes", nodes, "effect", "observed_effect"),
        ("edges", edges, "weight", "observed"),
    ):
        tested = [row for row in rows if row[predicted] is not None and row[seen] is not None]
        of = agreement([row[predicted] for row in tested], [row[seen] for row in tested], whole)
        shown = {"tested": of.n, "r": of.pearson, "rank r": of.spearman, "slope": of.slope, "sign right": of.sign}
        for name, value in shown.items():
            if value is not None:
                yield f"evidence/{what}/{name}", float(value), 0
