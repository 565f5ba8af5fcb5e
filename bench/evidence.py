"""Predicted effects of nodes and edges against observed ones, by every formula; and the time of observing edges against
a plain way.

Observed are all features of largest effect and all edges between those of neighbouring dictionaries, error terms
among them, not the strongest edges only; and figures are given once more without the ten strongest: a few strong ones
make any correlation look good. The plain way to observe an edge takes two passes of the whole model, one for what u
does to d and one with d alone changed.
"""

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor

from bench.demo_world import DemoWorld, open_world
from bench.report import compare, heading, seconds
from ingest.agreement import agreement, without_strongest
from ingest.edges import Runs, edge_weights
from ingest.evidence import observed_edges, observed_nodes
from ingest.gradients import along_inputs
from ingest.hooks import Hook
from ingest.models import Edit
from ingest.nodes import Directions, Node, Slopes
from ingest.recipe import EdgeFormula
from ingest.stretches import stretch_to

FORMULAS: tuple[EdgeFormula, ...] = ("patched", "share-weighted", "path", "reference", "clean")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--task", default="agreement-across-pp", help="whose pairs")
    options.add_argument("--pairs", type=int, default=16, help="prompt pairs")
    options.add_argument("--nodes", type=int, default=12, help="strongest features of each dictionary")
    options.add_argument("--errors", type=int, default=2, help="strongest error terms of each dictionary")
    options.add_argument("--seed", type=int, default=0, help="seed of the pairs")
    options.add_argument("--steps", type=int, default=4, help="points of the path")
    given = options.parse_args()
    world = open_world(given.pairs, given.seed, given.task)
    runs = world.runs(given.steps)
    whole = float((world.metric_patch - world.metric_clean).mean())
    at = {hook: world.strongest(hook, runs.gradient_path[hook], given.nodes, given.errors) for hook in world.hooks[1:]}
    heading(f"Nodes of {given.task}, {given.pairs} pairs, predicted and observed")
    tell(*_nodes(world, runs, at, given.steps), whole)
    heading(f"Edges of {given.task}, {given.pairs} pairs, predicted and observed")
    observed: list[Tensor] = []
    predicted: dict[str, list[Tensor]] = {formula: [] for formula in FORMULAS}
    ours = theirs = 0.0
    for upstream, downstream in pairwise(world.dictionaries):
        targets = at[downstream].nodes
        edges = [(s, t) for t in targets for s in at[upstream].nodes if (s.position or 0) <= (t.position or 0)]
        look = partial(_observe, world, upstream, downstream, edges, at)
        found = look()
        ours += min(seconds(look, 1))
        plain = next(edge for edge in edges if edge[1].index is not None)
        theirs += min(seconds(partial(_plainly, world, upstream, downstream, plain, at), 2)) * len(edges)
        observed.append(found)
        for formula in FORMULAS:
            stretch = stretch_to(downstream, list(world.dictionaries))
            weights = edge_weights(
                world.model, stretch, targets, {upstream: at[upstream]}, world.dictionaries[downstream], runs,
                world.metric, formula, given.steps,
            )  # fmt: skip
            number = [(targets.index(t), at[upstream].nodes.index(s)) for s, t in edges]
            predicted[formula].append(torch.stack([weights[t, :, s] for t, s in number]))
    tell({formula: torch.cat(parts) for formula, parts in predicted.items()}, torch.cat(observed), whole)
    compare("ours, all edges", [ours], "two passes of the model an edge", [theirs])


def _nodes(world: DemoWorld, runs: Runs, at: dict[Hook, Directions], steps: int) -> tuple[dict[str, Tensor], Tensor]:
    """Effects of the nodes by each method, and observed, [nodes, pairs] each."""
    inputs = along_inputs(world.model, world.clean, world.patch, world.hooks, world.metric, steps)
    whole = world.metric_patch - world.metric_clean
    methods: dict[str, Callable[[Hook], Slopes]] = {
        "share-weighted": lambda hook: Slopes(runs.gradient_path[hook], runs.gradient_clean[hook], whole),
        "ig-dictionary": lambda hook: Slopes(runs.gradient_path[hook]),
        "ig-inputs": lambda hook: Slopes(inputs[hook]),
        "attribution-patching": lambda hook: Slopes(runs.gradient_clean[hook]),
    }
    predicted = {
        name: torch.cat([slopes(hook).effects(nodes.along).T for hook, nodes in at.items()])
        for name, slopes in methods.items()
    }
    observed = [
        observed_nodes(world.model, nodes, hook, world.clean, world.metric, world.metric_clean, 256)
        for hook, nodes in at.items()
    ]
    return predicted, torch.cat(observed)


def tell(predicted: Mapping[str, Tensor], observed: Tensor, whole: float) -> None:
    """Each formula's agreement over all that does anything, [.., pairs] both: all, and without the ten strongest."""
    acts = observed.abs().sum(1) > 0
    o = observed[acts].mean(1).tolist()
    print(f"  {'':<20}{'all: r':>10}{'slope':>8}{'sign':>8}{'without 10: r':>16}{'slope':>8}{'single pairs: r':>18}")
    for formula, values in predicted.items():
        p = values[acts].mean(1).tolist()
        every, rest = agreement(p, o, whole), agreement(*without_strongest(p, o, 10), whole)
        single = agreement(values[acts].flatten().tolist(), observed[acts].flatten().tolist(), whole)
        print(
            f"  {formula:<20}{every.pearson:>10.3f}{every.slope:>8.2f}{every.sign:>8.3f}"
            f"{rest.pearson:>16.3f}{rest.slope:>8.2f}{single.pearson:>18.3f}"
        )
    print(f"  {int(acts.sum())} of them; the metric changes by {whole:.2f}")


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
