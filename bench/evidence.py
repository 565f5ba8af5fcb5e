"""Predicted effects of edges against observed ones, by every formula; and the time of observing against a plain way.

All edges between the strongest features of neighbouring dictionaries are observed, not the strongest edges only, and
figures are given once more without the ten strongest: a few strong edges make any correlation look good. The plain
way to observe an edge takes two passes of the whole model, one for what u does to d and one with d alone changed.
"""

import argparse
from collections.abc import Mapping
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor

from bench.demo_world import DemoWorld, open_world
from bench.report import compare, heading, seconds
from ingest.agreement import agreement
from ingest.edges import Formula, edge_weights, stretch_to
from ingest.evidence import observed_edges
from ingest.hooks import Hook
from ingest.models import Edit
from ingest.nodes import Directions, Node

FORMULAS: tuple[Formula, ...] = ("share-weighted", "path", "reference", "clean")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--task", default="agreement-across-pp", help="whose pairs")
    options.add_argument("--pairs", type=int, default=16, help="prompt pairs")
    options.add_argument("--nodes", type=int, default=14, help="strongest features of each dictionary")
    options.add_argument("--seed", type=int, default=0, help="seed of the pairs")
    options.add_argument("--steps", type=int, default=4, help="points of the path")
    given = options.parse_args()
    heading(f"Edges of {given.task}, {given.pairs} pairs, predicted and observed")
    world = open_world(given.pairs, given.seed, given.task)
    runs = world.runs(given.steps)
    at = {hook: world.strongest(hook, runs.gradient_path[hook], given.nodes) for hook in world.dictionaries}
    observed: list[Tensor] = []
    predicted: dict[Formula, list[Tensor]] = {formula: [] for formula in FORMULAS}
    ours = theirs = 0.0
    for upstream, downstream in pairwise(world.dictionaries):
        targets = at[downstream].nodes
        edges = [(s, t) for t in targets for s in at[upstream].nodes if (s.position or 0) <= (t.position or 0)]
        look = partial(_observe, world, upstream, downstream, edges, at)
        found = look()
        ours += min(seconds(look, 1))
        theirs += min(seconds(partial(_plainly, world, upstream, downstream, edges[0], at), 2)) * len(edges)
        observed.append(found)
        for formula in FORMULAS:
            stretch = stretch_to(downstream, list(world.dictionaries))
            weights = edge_weights(
                world.model, stretch, targets, {upstream: at[upstream]}, world.dictionaries[downstream], runs,
                world.metric, formula, given.steps,
            )  # fmt: skip
            number = [(targets.index(t), at[upstream].nodes.index(s)) for s, t in edges]
            predicted[formula].append(torch.stack([weights[t, :, s] for t, s in number]))
    whole = float((world.metric_patch - world.metric_clean).mean())
    tell({formula: torch.cat(parts) for formula, parts in predicted.items()}, torch.cat(observed), whole)
    compare("ours, all edges", [ours], "two passes of the model an edge", [theirs])


def tell(predicted: dict[Formula, Tensor], observed: Tensor, whole: float) -> None:
    """Each formula's agreement over edges that do anything, [edges, pairs] both: all, and without the ten strongest."""
    acts = observed.abs().sum(1) > 0
    o = observed[acts].mean(1)
    weak = o.abs().argsort(descending=True)[10:]
    print(f"  {'':<16}{'all: r':>10}{'slope':>8}{'sign':>8}{'without 10: r':>16}{'slope':>8}{'single pairs: r':>18}")
    for formula, values in predicted.items():
        p = values[acts].mean(1)
        every, rest = (agreement(p[s].tolist(), o[s].tolist(), whole) for s in (slice(None), weak))
        single = agreement(values[acts].flatten().tolist(), observed[acts].flatten().tolist(), whole)
        print(
            f"  {formula:<16}{every.pearson:>10.3f}{every.slope:>8.2f}{every.sign:>8.3f}"
            f"{rest.pearson:>16.3f}{rest.slope:>8.2f}{single.pearson:>18.3f}"
        )
    print(f"  {int(acts.sum())} edges; the metric changes by {whole:.2f}")


def _observe(
    world: DemoWorld, upstream: Hook, downstream: Hook, edges: list[tuple[Node, Node]], at: dict[Hook, Directions]
) -> Tensor:
    return observed_edges(
        world.model, stretch_to(downstream, list(world.dictionaries)), edges, {upstream: at[upstream]},
        world.dictionaries[downstream], world.clean, world.metric, world.metric_clean, 256,
    )  # fmt: skip


@torch.no_grad()
def _plainly(
    world: DemoWorld, upstream: Hook, downstream: Hook, edge: tuple[Node, Node], at: dict[Hook, Directions]
) -> None:
    """The same for one edge, with the whole model from the tokens on, twice."""
    source, target = edge
    dictionary = world.dictionaries[downstream]
    kept: list[Tensor] = []

    def run(edits: Mapping[Hook, Edit]) -> None:
        x = world.model.embed(world.subject.train.clean_tokens)
        out = world.model.run(x, 0, world.model.n_layers, edits)
        world.metric(world.model.logits(out[:, -1]))

    def keep(x: Tensor) -> Tensor:
        kept.append(x)
        return x

    u, d = world.clean[upstream].clone(), world.clean[downstream].clone()
    u[:, source.position] += at[upstream].change[:, at[upstream].nodes.index(source)]
    run({upstream: lambda _: u, downstream: keep})
    place = (slice(None), target.position)
    step = dictionary.encode(kept[0][place]) - dictionary.encode(d[place])
    d[place] += step[:, target.index, None] * dictionary.W_dec[target.index]
    run({downstream: lambda _: d})


if __name__ == "__main__":
    main()
