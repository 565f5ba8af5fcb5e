"""Ablations against one forward pass of the whole model each, an edit of the plain formulation in it.

First circuits of several sizes: ours runs what stands before the first dictionary once for all of them, and the rest in
one batch. Then single features ablated alone: ours runs the model from the feature's hook on, and encodes no other
dictionary's. The plain way does both from the tokens on. Values are compared.
"""

import argparse
from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from bench.demo_world import DemoWorld, open_world
from bench.report import compare, heading, seconds
from ingest.ablation import Intervention, measure
from ingest.hooks import Hook
from ingest.models import Edit
from ingest.nodes import Means, Node, means_of
from ingest.steering import Change, measure_change


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pairs", type=int, default=8, help="prompt pairs")
    options.add_argument("--features", type=int, default=3, help="strongest features of each dictionary")
    options.add_argument("--seed", type=int, default=0, help="seed of the pairs")
    given = options.parse_args()
    world = open_world(given.pairs, given.seed)
    runs = world.runs(1)
    nodes = [n for h in world.dictionaries for n in world.strongest(h, runs.gradient_clean[h], given.features).nodes]
    both = {hook: torch.cat([value, world.patch[hook]]) for hook, value in world.clean.items()}
    means = {hook: means_of(dictionary, both) for hook, dictionary in world.dictionaries.items()}
    heading(f"{len(nodes)} circuits of 1 to {len(nodes)} features, {given.pairs} pairs")
    circuits = [nodes[: n + 1] for n in range(len(nodes))]
    tell(partial(_circuits, world, means, circuits), partial(_circuits_plainly, world, means, circuits))
    heading(f"{len(nodes)} features ablated alone, {given.pairs} pairs")
    tell(partial(_alone, world, means, nodes), partial(_alone_plainly, world, means, nodes))


def tell(ours: "partial[Tensor]", theirs: "partial[Tensor]") -> None:
    """Both times, and how far the values are apart."""
    difference = float((ours() - theirs()).abs().max())
    compare("ours", seconds(ours, 1), "one pass of the whole model each", seconds(theirs, 1))
    print(f"  largest difference of the metric {difference:.1e}")


def _circuits(world: DemoWorld, means: dict[Hook, Means], circuits: Sequence[Sequence[Node]]) -> Tensor:
    found = []
    for first in range(0, len(circuits), 16):
        some = [Intervention("faithfulness", nodes, "ablated") for nodes in circuits[first : first + 16]]
        found.append(
            measure(
                world.model, world.dictionaries, means, world.subject.train.clean_tokens, world.metric, some,
                world.subject.first_position,
            )
        )  # fmt: skip
    return torch.cat(found)


def _circuits_plainly(world: DemoWorld, means: dict[Hook, Means], circuits: Sequence[Sequence[Node]]) -> Tensor:
    return torch.stack([_run(world, means, set(nodes), None) for nodes in circuits])


def _alone(world: DemoWorld, means: dict[Hook, Means], nodes: Sequence[Node]) -> Tensor:
    found = []
    for node in nodes:
        assert node.hook is not None
        change = Change({node.hook: torch.tensor([node.index])})
        found.append(
            measure_change(
                world.model, world.dictionaries, means, world.clean, world.metric, change, world.subject.first_position
            )
        )
    return torch.stack(found)


def _alone_plainly(world: DemoWorld, means: dict[Hook, Means], nodes: Sequence[Node]) -> Tensor:
    return torch.stack([_run(world, means, None, node) for node in nodes])


@torch.no_grad()
def _run(world: DemoWorld, means: dict[Hook, Means], kept: set[Node] | None, ablated: Node | None) -> Tensor:
    """The metric with every dictionary's code decoded again: of `kept` alone, without errors, or without `ablated`."""
    first = world.subject.first_position
    edits: dict[Hook, Edit] = {}
    for hook in world.dictionaries:
        mask = torch.ones_like(means[hook].features) if kept is None else torch.zeros_like(means[hook].features)
        for node in kept or ():
            if node.hook == hook:
                mask[node.position, node.index] = 1
        if ablated is not None and ablated.hook == hook:
            mask[:, ablated.index] = 0

        def edit(x: Tensor, hook: Hook = hook, mask: Tensor = mask) -> Tensor:
            dictionary = world.dictionaries[hook]
            f = dictionary.encode(x)
            error = x - dictionary.decode(f)
            if kept is not None:
                error = means[hook].value - dictionary.decode(means[hook].features)
            new = dictionary.decode(mask * f + (1 - mask) * means[hook].features) + error
            return torch.cat([x[:, :first], new[:, first:]], dim=1)

        edits[hook] = edit
    x = world.model.embed(world.subject.train.clean_tokens)
    out = world.model.run(x, 0, world.model.n_layers, edits)
    return world.metric(world.model.logits(out[:, -1]))


if __name__ == "__main__":
    main()
