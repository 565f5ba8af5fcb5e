"""Integrated gradients over the inputs against integrated gradients per dictionary: time, and faithfulness reached.

Over the inputs (Hanna et al. 2024), each step is one pass of the whole model and serves every dictionary; per
dictionary (Marks et al. 2024), each step of each dictionary is a pass from its own block on. Faithfulness is on
held-out pairs, every error term ablated, keeping the features that each ranks first.
"""

import argparse

from bench.demo_world import DemoWorld, open_world
from bench.report import compare, heading, seconds
from ingest.ablation import Intervention, measure
from ingest.gradients import Metric, Values, along_hooks, along_inputs, hook_values
from ingest.nodes import Node, Slopes, mean_effects, rank
from ingest.recovery import share_recovered


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pairs", type=int, default=32, help="prompt pairs")
    options.add_argument("--steps", type=int, default=8, help="points of the path over the inputs")
    options.add_argument("--dictionary-steps", type=int, default=4, help="points of each dictionary's path")
    options.add_argument("--sizes", type=int, nargs="+", default=[6, 7, 8, 10, 20, 30], help="features kept")
    options.add_argument("--seed", type=int, default=0, help="seed of the pairs")
    given = options.parse_args()
    heading(f"Integrated gradients over the inputs and per dictionary, {given.pairs} pairs")
    world = open_world(given.pairs, given.seed)
    by_inputs: list[Values] = []
    by_hooks: list[Values] = []
    arguments = (world.model, world.clean, world.patch, world.hooks, world.metric)
    ours = seconds(lambda: by_inputs.append(along_inputs(*arguments, given.steps)), 2)
    theirs = seconds(lambda: by_hooks.append(along_hooks(*arguments, given.dictionary_steps)), 2)
    compare(
        f"over the inputs, {given.steps} steps", ours, f"per dictionary, {given.dictionary_steps} steps each", theirs
    )
    same = seconds(lambda: along_hooks(*arguments, given.steps))
    compare(f"over the inputs, {given.steps} steps", ours, f"per dictionary, {given.steps} steps each", same)
    print("  faithfulness     " + "".join(f"{size:>8}" for size in given.sizes) + "   features")
    for name, found in (("over the inputs", by_inputs[0]), ("per dictionary", by_hooks[0])):
        print(f"  {name:<17}" + "".join(f"{share:8.3f}" for share in faithfulness(world, found, given.sizes)))


def faithfulness(world: DemoWorld, gradients: Values, sizes: list[int]) -> list[float]:
    """F at each size, of the features that these gradients rank first."""
    effects, means = {}, {}
    for hook, dictionary in world.dictionaries.items():
        features, errors, means[hook] = mean_effects(dictionary, Slopes(gradients[hook]), world.clean, world.patch, 64)
        effects[hook] = (features, errors)
    ranked = rank(effects, world.subject.first_position, max(sizes))
    features_first: list[Node] = [node for node in ranked.nodes if node.kind == "feature"]
    held_out = world.subject.held_out
    metric = Metric(held_out.clean_answers, held_out.patch_answers)
    _, full = hook_values(world.model, held_out.clean_tokens, [], metric)
    wanted = [Intervention("faithfulness", features_first[:size], "ablated") for size in (0, *sizes)]
    first = world.subject.first_position
    empty, *found = (
        float(measure(world.model, world.dictionaries, means, held_out.clean_tokens, metric, [one], first).mean())
        for one in wanted
    )
    return [share_recovered(m, empty, float(full.mean())) or 0.0 for m in found]


if __name__ == "__main__":
    main()
