"""Observed effects of more nodes and edges of the tasks' circuits that are stored.

What was observed before is not observed once more: a recipe that asks for more adds to what is there.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import isnan, nan
from typing import TypeVar

import torch
from torch import Tensor

from ingest.analyses.observable import reasons_against
from ingest.analyses.registry import Analysing
from ingest.analyses.studies import Study, open_studies
from ingest.attribution import batch_rows
from ingest.edges import Runs
from ingest.hooks import EMBEDDING, Hook
from ingest.nodes import METRIC, Directions, Node, directions
from ingest.progress import console, step
from ingest.pruning import Edge, EdgeValue, NodeValue
from ingest.rows import Rows
from ingest.steps.evidence import Observed, observe, tell_agreement
from store.errors import NothingLeftError
from store.export import circuit_tables, completed
from store.uids import short_hash

T = TypeVar("T", Node, Edge)


def analyse(given: Analysing) -> Rows:
    """Raises NotFoundError where no task's circuit is stored that can be observed again, NothingLeftError where all was
    observed that is asked for."""
    studies = open_studies(given, 1)
    reasons = reasons_against(given.recipe, given.where, given.store)
    longest = max(studies, key=lambda study: study.subject.train.n_positions)
    rows = batch_rows(given.recipe, longest.subject, given.work, given.memory)
    nodes: dict[str, float] = {}
    edges: dict[tuple[str, str], float] = {}
    pairs: dict[str, int] = {}
    for study in studies:
        if reason := reasons[study.circuit]:
            console.print(f"left out: {reason}")
            continue
        new_nodes, new_edges = _observe(given, study, rows)
        nodes |= {study.uids[node]: value for node, value in new_nodes.items()}
        edges |= {(study.uids[s], study.uids[t]): value for (s, t), value in new_edges.items()}
        if new_nodes or new_edges:
            pairs[study.circuit] = min(given.recipe.evidence.pairs, len(study.metric_clean))
    if not pairs:
        raise NothingLeftError(f"nothing left to observe: what {given.where} asks for is stored")
    tables = completed(given.store, circuit_tables(given.store, list(pairs)))
    found: Rows = defaultdict(list, {name: table.to_pylist() for name, table in tables.items()})
    for row in found["Circuit"]:
        row["observed_pairs"] = pairs[row["uid"]]
    for row in found["CircuitNode"]:
        row["observed_effect"] = nodes.get(row["uid"], row["observed_effect"])
    for row in found["ATTRIBUTES_TO"]:
        row["observed"] = edges.get((row["source"], row["target"]), row["observed"])
    return found


def _observe(given: Analysing, study: Study, rows: dict[str, int]) -> tuple[dict[Node, float], dict[Edge, float]]:
    """What is observed of one circuit that was not before, means over the pairs."""
    graph, clean, patch = study.graph, study.clean, study.patch
    nodes = [node for node in graph.nodes if node.position is not None]  # merged error terms stand at none
    edges = [edge for edge in graph.edges if all(end is METRIC or end.position is not None for end in edge)]
    sources: dict[Hook, Directions] = {}
    for hook in [EMBEDDING, *study.hooks]:
        here = [node for node in nodes if node.hook == hook]
        sources[hook] = directions(given.dictionaries.get(hook), here, clean, patch)
    nodes = [node for at_hook in sources.values() for node in at_hook.nodes]
    n = len(study.metric_clean)
    effects = torch.tensor([[graph.nodes[node].effect for node in nodes]]).expand(n, -1)
    weights = torch.tensor([[graph.edges[edge].weight for edge in edges]]).expand(n, -1)
    seen: set[Node | Edge] = {
        *(node for node in nodes if graph.nodes[node].observed is not None),
        *(edge for edge in edges if graph.edges[edge].observed is not None),
    }
    runs = Runs(clean, patch, {}, {}, study.metric_clean, study.metric_patch)
    before = sorted(" ".join(study.uids[end] for end in (one if isinstance(one, tuple) else (one,))) for one in seen)
    name = f"{study.circuit.replace(':', '-')}-{short_hash(before)}-"  # of stages: what they hold depends on both
    with step(f"observed effects of {study.name}") as bar:
        found = observe(
            given.recipe, study.subject, given.work, sources, effects, edges, weights, runs, rows, bar, seen, name
        )
    new_nodes, new_edges = _means(nodes, found.nodes), _means(edges, found.edges)
    every = Observed(_known(graph.nodes, nodes, new_nodes), _known(graph.edges, edges, new_edges))
    tell_agreement(effects[:1], edges, weights[:1], every, study.whole)
    return new_nodes, new_edges


def _means(of: Sequence[T], observed: Tensor) -> dict[T, float]:
    """Of what was observed, the mean over the pairs it was observed on. observed: [pairs, of], NaN for what was not."""
    means = observed.double().nanmean(0).tolist()
    return {one: value for one, value in zip(of, means, strict=True) if not isnan(value)}


def _known(stored: Mapping[T, NodeValue | EdgeValue], of: Sequence[T], new: Mapping[T, float]) -> Tensor:
    """What was observed, now or before, [1, of]; NaN for what was not."""
    before = [stored[one].observed for one in of]
    return torch.tensor([[new.get(one, nan if b is None else b) for one, b in zip(of, before, strict=True)]])
