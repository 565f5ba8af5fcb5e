"""Observed effects: what the metric does when one node, or one edge, alone is changed on the clean run.

A node is observed by giving it its value of the patch run and running on. An edge u → d is observed by cutting it
the other way round from how it is predicted (path patching, Wang et al. 2022, at the level of features): only the
stretch between the two dictionaries is run with u's value of the patch run, everything else that stands in between
held; what d comes to there is put into the clean run, at d alone; and the rest of the model is run on. One run of the
stretch serves all edges of a u.

Predictions are first-order; where they are far from what is observed here, the observation is right.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from ingest.dictionaries import Dictionary, places
from ingest.edges import Stretch, value_at_end, values_at
from ingest.gradients import Metric, Values
from ingest.hooks import Hook, start_for
from ingest.memory import slices
from ingest.models import LanguageModel
from ingest.nodes import Directions, Node

Edge = tuple[Node, Node]


@torch.no_grad()
def observed_nodes(
    model: LanguageModel, at_hook: Directions, hook: Hook, clean: Values, metric: Metric, whole: Tensor, rows: int
) -> Tensor:
    """Change of the metric when a node alone takes its value of the patch run, [nodes, pairs].

    at_hook: the nodes, all at `hook`. whole: the metric on the clean run, [pairs]. rows: of a batch, one a node and
    pair.
    """
    return _metric_with(model, hook, at_hook.change.transpose(0, 1), at_hook.positions, clean, metric, rows) - whole


@torch.no_grad()
def observed_edges(
    model: LanguageModel,
    stretch: Stretch,
    edges: Sequence[Edge],
    sources: dict[Hook, Directions],
    dictionary: Dictionary | None,
    clean: Values,
    metric: Metric,
    whole: Tensor,
    rows: int,
) -> Tensor:
    """Change of the metric when an edge alone carries its source's patch, [edges, pairs].

    edges: (source, target), all targets at the stretch's target hook with its dictionary, or the metric.
    """
    observed = torch.zeros(len(edges), len(whole), device=whole.device)
    starts = list(dict.fromkeys(source for source, _ in edges))
    changes: list[tuple[int, Tensor]] = []
    for s in slices(len(starts), max(1, rows // len(whole))):
        some = starts[s]
        leaves = _with_sources(stretch, some, sources, clean, len(whole))
        if stretch.target is None:
            reached = value_at_end(model, stretch, leaves)
            metrics = metric.repeat(len(some))(model.logits(reached[:, -1])).view(len(some), -1)
            for number, (source, _) in enumerate(edges):
                if source in some:
                    observed[number] = metrics[some.index(source)] - whole
            continue
        assert dictionary is not None
        found = values_at(model, stretch, leaves, places([dictionary]))
        values = {hook: x.view(len(some), len(whole), *x.shape[1:]) for hook, x in found.items()}
        for number, (source, target) in enumerate(edges):
            if source in some:
                before = {hook: clean[hook][:, target.position].float() for hook in values}
                after = {hook: x[some.index(source), :, target.position].float() for hook, x in values.items()}
                change = _change(dictionary, target, before, after)
                if bool(change.any()):
                    changes.append((number, change))
    if changes and stretch.target is not None:
        numbers = [number for number, _ in changes]
        positions = torch.tensor([edges[number][1].position for number in numbers], device=whole.device)
        moved = torch.stack([change for _, change in changes])
        observed[numbers] = _metric_with(model, stretch.target, moved, positions, clean, metric, rows) - whole
    return observed


def _with_sources(
    stretch: Stretch, some: Sequence[Node], sources: dict[Hook, Directions], clean: Values, n: int
) -> Values:
    """The values at the stretch's sources with each source patched alone, [sources · pairs, pos, d]."""
    leaves = {hook: clean[hook].repeat(len(some), 1, 1) for hook in stretch.sources}
    for number, node in enumerate(some):
        assert node.hook is not None
        at_hook = sources[node.hook]
        change = at_hook.change[:, at_hook.nodes.index(node)]
        leaves[node.hook][number * n : (number + 1) * n, node.position] += change.to(leaves[node.hook].dtype)
    return leaves


def _change(dictionary: Dictionary, target: Node, before: Values, after: Values) -> Tensor:
    """What the hook's value changes by when only the target goes from its value before to the one after, [pairs, d]."""
    if target.index is None:
        return dictionary.error(*dictionary.read(after)) - dictionary.error(*dictionary.read(before))
    f_before, f_after = (dictionary.encode(values[dictionary.reads]) for values in (before, after))
    step = f_after[:, target.index] - f_before[:, target.index]
    return step[:, None] * dictionary.W_dec[target.index]


def _metric_with(
    model: LanguageModel, hook: Hook, changes: Tensor, positions: Tensor, clean: Values, metric: Metric, rows: int
) -> Tensor:
    """The metric when the hook's value changes at one position, [changes, pairs].

    changes: [changes, pairs, d]; positions: [changes].
    """
    start, n_pairs = start_for(hook, clean), changes.shape[1]
    assert start.boundary is not None
    found = []
    for s in slices(len(changes), max(1, rows // n_pairs)):
        some = changes[s]
        at, moved = positions[s].repeat_interleave(n_pairs), some.flatten(0, 1)

        def edit(x: Tensor, at: Tensor = at, moved: Tensor = moved) -> Tensor:
            changed = x.clone()
            changed[torch.arange(len(x), device=x.device), at] += moved.to(x.dtype)
            return changed

        x = clean[start].repeat(len(some), 1, 1)
        out = model.run(x, start.boundary, model.n_layers, {hook: edit})
        found.append(metric.repeat(len(some))(model.logits(out[:, -1])).view(len(some), -1))
    return torch.cat(found)
