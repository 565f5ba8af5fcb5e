"""Observed effects beside the predicted ones: of the strongest nodes and edges of the task's circuit, and of others.

Those drawn at random keep the comparison honest: a few strong edges make any correlation look good.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from rich.table import Table
from torch import Tensor

from ingest.agreement import Agreement, agreement, without_strongest
from ingest.edges import Runs
from ingest.evidence import Edge, observed_edges, observed_nodes
from ingest.hooks import Hook
from ingest.memory import slices
from ingest.nodes import Directions, Node
from ingest.progress import Bar, console
from ingest.pruning import strong_edges
from ingest.recipe import Recipe
from ingest.stretches import stretch_to
from ingest.subject import Subject, metric_of
from ingest.work import Work

_STRONGEST = 10  # agreement is told once more without so many


@dataclass(frozen=True)
class Observed:
    """What was observed, on the first pairs; NaN for what was not. Columns as `Found`'s."""

    nodes: Tensor
    """[pairs, nodes]"""
    edges: Tensor
    """[pairs, edges]"""

    def __getitem__(self, rows: slice) -> "Observed":
        return Observed(self.nodes[rows], self.edges[rows])

    @property
    def pairs(self) -> int:
        """How many pairs anything was observed on."""
        return int((~torch.cat([self.nodes, self.edges], dim=1).isnan()).any(1).sum())


def observe(
    recipe: Recipe,
    subject: Subject,
    work: Work,
    sources: dict[Hook, Directions],
    effects: Tensor,
    edges: Sequence[Edge],
    weights: Tensor,
    runs: Runs,
    rows: dict[str, int],
    bar: Bar,
    seen: Collection[Node | Edge] = (),
    name: str = "",
) -> Observed:
    """sources: by the hooks between which the edges were taken, with no nodes where none is left.
    effects: predicted, of the sources' nodes in their order, [pairs, nodes]; weights: of edges, [pairs, edges].

    seen: nodes and edges that were observed before, and are not once more. name: of the circuit, where several are
    observed in one work folder.
    """
    said = recipe.evidence
    nodes = [node for at_hook in sources.values() for node in at_hook.nodes]
    found = Observed(torch.full_like(effects, torch.nan), torch.full_like(weights, torch.nan))
    whole = float((runs.metric_patch - runs.metric_clean).mean())
    kept = strong_edges(weights.double().mean(0).tolist(), recipe.pruning.edge_threshold * abs(whole))
    chosen_nodes = _choose(effects.mean(0), list(range(len(nodes))), said.nodes, said.sample, recipe.seed)
    chosen_edges = _choose(weights.mean(0), kept, said.edges, said.sample, recipe.seed)
    chosen_nodes = [n for n in chosen_nodes if nodes[n] not in seen]
    chosen_edges = [n for n in chosen_edges if edges[n] not in seen]
    bar.of(len(chosen_nodes) + len(chosen_edges))
    pairs = list(slices(min(said.pairs, len(effects)), rows["stretch"]))
    for hook, at_hook in sources.items():
        numbers = [n for n in chosen_nodes if nodes[n].hook == hook]
        if not numbers:
            continue
        chosen = at_hook.only([nodes[n] for n in numbers])
        compute = partial(_nodes_at, subject, hook, chosen, runs, pairs, rows["interventions"])
        done = work.tensors(f"{name}observed-nodes-{hook.name}", compute)["observed"]
        found.nodes[: done.shape[1], numbers] = done.T
        bar.advance(len(numbers))
    hooks = [hook for hook in subject.hooks if hook in sources]
    into: dict[Hook | None, list[int]] = defaultdict(list)
    for n in chosen_edges:
        into[edges[n][1].hook].append(n)
    for target, numbers in into.items():
        some = [edges[n] for n in numbers]
        compute = partial(_edges_into, subject, target, hooks, some, sources, runs, pairs, rows["interventions"])
        done = work.tensors(f"{name}observed-edges-{target.name if target else 'metric'}", compute)["observed"]
        found.edges[: done.shape[1], numbers] = done.T
        bar.advance(len(numbers))
    return found


def _choose(predicted: Tensor, candidates: list[int], strongest: int, sample: int, seed: int) -> list[int]:
    """The strongest candidates, and some of the others at random."""
    ranked = sorted(candidates, key=lambda n: -abs(float(predicted[n])))
    others = ranked[strongest:]
    drawn = torch.randperm(len(others), generator=torch.Generator().manual_seed(seed))[:sample]
    return sorted([*ranked[:strongest], *(others[n] for n in drawn.tolist())])


def _nodes_at(
    subject: Subject, hook: Hook, at_hook: Directions, runs: Runs, pairs: list[slice], rows: int
) -> dict[str, Tensor]:
    metric = metric_of(subject.train)
    parts = [
        observed_nodes(subject.model, at_hook[s], hook, runs[s].clean, metric[s], runs.metric_clean[s], rows)
        for s in pairs
    ]
    return {"observed": torch.cat(parts, dim=1)}


def _edges_into(
    subject: Subject,
    target: Hook | None,
    hooks: list[Hook],
    edges: list[Edge],
    sources: dict[Hook, Directions],
    runs: Runs,
    pairs: list[slice],
    rows: int,
) -> dict[str, Tensor]:
    metric, stretch = metric_of(subject.train), stretch_to(target, hooks)
    parts = [
        observed_edges(
            subject.model,
            stretch,
            edges,
            {hook: at_hook[s] for hook, at_hook in sources.items()},
            subject.dictionaries[target] if target else None,
            runs[s].clean,
            metric[s],
            runs.metric_clean[s],
            rows,
        )
        for s in pairs
    ]
    return {"observed": torch.cat(parts, dim=1)}


def tell_agreement(effects: Tensor, edges: Sequence[Edge], weights: Tensor, observed: Observed, whole: float) -> None:
    """Shows how predictions agree with observations, means over the pairs observed: nodes, edges, edges a stretch."""
    table = Table("predicted against observed", "tested", "r", "rank r", "slope", "sign right", box=None)
    for name, predicted, seen in (("nodes", effects, observed.nodes), ("edges", weights, observed.edges)):
        both = _means(predicted, seen)
        _row(table, name, agreement(*both, whole))
        _row(table, f"  without the {_STRONGEST} strongest", agreement(*without_strongest(*both, _STRONGEST), whole))
    stretches: dict[tuple[int, int, str], list[int]] = defaultdict(list)
    for n, (source, target) in enumerate(edges):
        ends = [node.hook.name.removeprefix("blocks.") if node.hook else "metric" for node in (source, target)]
        depth = [node.hook.layer if node.hook else 1 << 30 for node in (source, target)]
        stretches[depth[1], depth[0], " → ".join(ends)].append(n)
    for (_, _, name), numbers in sorted(stretches.items()):
        _row(table, f"  {name}", agreement(*_means(weights[:, numbers], observed.edges[:, numbers]), whole))
    console.print(table)


def _means(predicted: Tensor, observed: Tensor) -> tuple[list[float], list[float]]:
    """Means over the pairs observed, of what was observed."""
    pairs = ~observed.isnan().all(1)
    tested = ~observed.isnan().all(0)
    return predicted[pairs][:, tested].mean(0).tolist(), observed[pairs][:, tested].mean(0).tolist()


def _row(table: Table, name: str, found: Agreement) -> None:
    if found.n:
        figures = (found.pearson, found.spearman, found.slope, found.sign)
        table.add_row(name, str(found.n), *("–" if figure is None else f"{figure:.3f}" for figure in figures))
