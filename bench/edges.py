"""Edge effects against the formulation of the reference (Marks et al. 2024, feature-circuits), same formula in both.

The reference runs the whole model forward with the upstream values in the graph, and then takes, for each downstream
node of each example, one backward pass through that graph down to the inputs; the gradient at the upstream
hook is multiplied out to all its features. A second, kinder form of it takes one backward for all examples at once.
Ours runs only the stretch between the two dictionaries and asks only for the upstream candidates; the formula that is
the default runs it forwards, once a source, and takes no derivatives there. The
reference is timed on some of the targets and counted for all of them; values are compared on those.
"""

import argparse
import time
from functools import partial
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from bench.demo_world import DemoWorld, open_world
from bench.report import compare, heading, seconds
from ingest.edges import Runs, edge_weights
from ingest.hooks import EMBEDDING, Hook
from ingest.nodes import Node
from ingest.stretches import stretch_to


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pairs", type=int, default=8, help="prompt pairs")
    options.add_argument("--nodes", type=int, default=14, help="strongest features of each dictionary")
    options.add_argument("--timed", type=int, default=3, help="targets that the reference is timed on")
    options.add_argument("--seed", type=int, default=0, help="seed of the pairs")
    given = options.parse_args()
    heading(f"Edge effects, {given.pairs} pairs, {given.nodes} nodes a dictionary, the reference's formula in both")
    world = open_world(given.pairs, given.seed)
    runs = world.runs()
    ours_total = patched_total = theirs_total = kind_total = 0.0
    ours_values: list[Tensor] = []
    their_values: list[Tensor] = []
    hooks = list(world.dictionaries)
    at = {hook: world.strongest(hook, runs.gradient_path[hook], given.nodes) for hook in hooks}
    for upstream, downstream in pairwise(hooks):
        sources, targets = at[upstream].nodes, at[downstream].nodes
        by = partial(
            edge_weights,
            world.model,
            stretch_to(downstream, hooks),
            targets,
            {upstream: at[upstream]},
            world.dictionaries[downstream],
            runs,
            world.metric,
        )
        found = by("reference")
        ours_total += min(seconds(partial(by, "reference"), 1))
        patched_total += min(seconds(partial(by, "patched"), 2))
        timed = targets[: given.timed]
        reference(world, runs, upstream, timed[0], first=True)  # once in vain, as ours was
        for n, target in enumerate(timed):
            values, alone, together = reference(world, runs, upstream, target, first=n == 0)
            theirs_total += alone * len(targets) / len(timed)
            kind_total += together * len(targets) / len(timed)
            their_values.append(values[:, [s.position for s in sources], [s.index for s in sources]])
            ours_values.append(found[n])
    compare("ours, all targets", [ours_total], "reference, an example at a time", [theirs_total])
    compare("ours, all targets", [ours_total], "reference, all examples at once", [kind_total])
    compare("patched (the default), all targets", [patched_total], "reference, all examples at once", [kind_total])
    a, b = (torch.cat([v.flatten() for v in values]).numpy() for values in (ours_values, their_values))
    print(
        f"  the same values: r = {np.corrcoef(a, b)[0, 1]:.6f} over {len(a)} edges, "
        f"largest difference {abs(a - b).max():.2g}"
    )


def reference(
    world: DemoWorld, runs: Runs, upstream: Hook, target: Node, *, first: bool
) -> tuple[Tensor, float, float]:
    """One target the reference's way: its weights, [pairs, pos, features]; the seconds it takes an example at a
    time, and all at once. The forward pass is counted once a pair of dictionaries, with the `first` target."""
    assert target.hook is not None
    assert target.index is not None
    start = time.perf_counter()
    dictionary, source = world.dictionaries[target.hook], world.dictionaries[upstream]
    kept: dict[Hook, Tensor] = {}

    def keep(hook: Hook, x: Tensor) -> Tensor:
        kept[hook] = x
        return x

    with torch.enable_grad():
        x = world.clean[EMBEDDING].detach().requires_grad_()
        edits = {hook: partial(keep, hook) for hook in (upstream, target.hook)}
        out = world.model.run(x, 0, world.model.n_layers, edits)
        world.metric(world.model.logits(out[:, -1]))
        f = dictionary.encode(kept[target.hook])[:, target.position, target.index]
    forward = time.perf_counter() - start if first else 0.0
    change = source.encode(world.patch[upstream]) - source.encode(world.clean[upstream])
    start = time.perf_counter()
    gradient, _ = torch.autograd.grad(f.sum(), [kept[upstream], x], retain_graph=True)
    products = (gradient @ source.W_dec.T) * change
    together = time.perf_counter() - start
    start = time.perf_counter()
    one, _ = torch.autograd.grad(f[0], [kept[upstream], x], retain_graph=True)
    (one[:1] @ source.W_dec.T) * change[:1]
    alone = (time.perf_counter() - start) * len(f)
    g = runs.gradient_path[target.hook][:, target.position] @ dictionary.W_dec[target.index]
    return products * g[:, None, None], forward + alone, forward + together


if __name__ == "__main__":
    main()
