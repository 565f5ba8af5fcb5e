"""Observed effects: what the metric does when one node, or one edge, alone is changed on the clean run.

A node is observed by giving it its value of the patch run and running on. An edge u → d is observed by cutting it
the other way round from how it is predicted (path patching, Wang et al. 2022, at the level of features): only the
stretch between the two dictionaries is run with u's value of the patch run, everything else that stands in between
held; what d comes to there is put into the clean run, at d alone; and the rest of the model is run on. One run of the
stretch serves all edges of a u.

Predictions are first-order; where they are far from what is observed here, the observation is right.
"""

from collections import defaultdict
from collections.abc import Sequence

import torch
from torch import Tensor

from ingest.dictionaries import Dictionary
from ingest.gradients import Metric, Values
from ingest.hooks import Hook, start_for
from ingest.memory import slices
from ingest.models import LanguageModel
from ingest.nodes import Directions, Node
from ingest.stretches import Stretch, patched_metric, patched_targets

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
    if dictionary is None or stretch.target is None:
        for some, metrics in patched_metric(model, stretch, starts, sources, metric, clean, rows):
            for number, (source, _) in enumerate(edges):
                if source in some:
                    observed[number] = metrics[some.index(source)] - whole
        return observed
    into: dict[Node, list[int]] = defaultdict(list)
    for number, (_, target) in enumerate(edges):
        into[target].append(number)
    changes: dict[int, Tensor] = {}
    for some, target, change in patched_targets(model, stretch, starts, sources, dictionary, into, clean, rows):
        changes |= {n: change[some.index(edges[n][0])] for n in into[target] if edges[n][0] in some}
    numbers = [n for n in changes if bool(changes[n].any())]
    if numbers:
        positions = torch.tensor([edges[n][1].position for n in numbers], device=whole.device)
        moved_alone = torch.stack([changes[n] for n in numbers])
        observed[numbers] = _metric_with(model, stretch.target, moved_alone, positions, clean, metric, rows) - whole
    return observed


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
