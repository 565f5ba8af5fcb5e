"""Circuits cut to edges: what the model still does when only these edges carry anything.

Each node of the circuit sees, of the nodes before it, what its own edges bring: the stretch of model before it is run
with the sources of its edges at what they come to in the circuit, and all else at the baseline. So every target takes
a stretch of its own, and the metric the last. Error terms, like all that no edge names, are at the baseline.
"""

from collections import defaultdict
from collections.abc import Sequence

import torch
from torch import Tensor

from ingest.dictionaries import Dictionary
from ingest.evidence import Edge
from ingest.gradients import Metric, Values
from ingest.hooks import EMBEDDING, Hook
from ingest.memory import slices
from ingest.models import LanguageModel
from ingest.nodes import METRIC, Means, Node
from ingest.stretches import stretch_to, value_at_end, values_at


@torch.no_grad()
def measure_edges(
    model: LanguageModel,
    dictionaries: dict[Hook, Dictionary],
    baselines: dict[Hook, Means],
    embedding: Tensor,
    embedding_baseline: Tensor,
    metric: Metric,
    hooks: Sequence[Hook],
    edges: Sequence[Edge],
    rows: int,
) -> Tensor:
    """The metric with these edges alone, [pairs].

    embedding: what the blocks are given, [pairs, pos, d_model]; embedding_baseline: the same where no edge from a token
    brings its own, [pos, d_model]. hooks: those between which the edges were attributed, in order. rows: of a batch.
    Only edges between tokens, features and the metric are followed.
    """
    n_pairs = len(embedding)
    base: Values = {hook: _like(baselines[hook].value.to(embedding.dtype), n_pairs) for hook in hooks}
    base[EMBEDDING] = _like(embedding_baseline, n_pairs)
    sources: dict[Node, list[Node]] = defaultdict(list)
    for source, target in edges:
        if source.kind in ("token", "feature") and target.kind in ("feature", "metric"):
            sources[target].append(source)
    brought: dict[Node, Tensor] = {}
    for node in {source for several in sources.values() for source in several if source.kind == "token"}:
        brought[node] = embedding[:, node.position] - base[EMBEDDING][:, node.position]
    for hook in hooks:
        targets = [node for node in sources if node.hook == hook]
        for s in slices(len(targets), max(1, rows // n_pairs)):
            some = targets[s]
            reads = dictionaries[hook].reads
            leaves = _leaves(hook, hooks, [sources[node] for node in some], base, brought)
            reached = values_at(model, stretch_to(hook, hooks), leaves, [reads])[reads]
            f = dictionaries[hook].encode(reached.float()).view(len(some), n_pairs, reached.shape[1], -1)
            for node, activations in zip(some, f, strict=True):
                means = _like(baselines[hook].features, n_pairs)[:, node.position, node.index]
                step = activations[:, node.position, node.index] - means
                brought[node] = step[:, None] * dictionaries[hook].W_dec[node.index]
    out = value_at_end(model, stretch_to(None, hooks), _leaves(None, hooks, [sources[METRIC]], base, brought))
    return metric(model.logits(out[:, -1]))


def _leaves(
    target: Hook | None,
    hooks: Sequence[Hook],
    sources: Sequence[Sequence[Node]],
    base: Values,
    brought: dict[Node, Tensor],
) -> Values:
    """The values where the stretch to a target begins, once for each group of sources, [groups · pairs, pos, d].

    A source that nothing reaches is at its baseline, and brings nothing.
    """
    stretch = stretch_to(target, hooks)
    leaves: Values = {}
    for hook in stretch.sources:
        values = [base[hook].clone() for _ in sources]
        for value, group in zip(values, sources, strict=True):
            for node in group:
                if node.hook == hook and node in brought:
                    value[:, node.position] += brought[node].to(value.dtype)
        leaves[hook] = torch.cat(values)
    return leaves


def _like(value: Tensor, n_pairs: int) -> Tensor:
    """With a dimension for the pairs."""
    return value if value.ndim == 3 else value.expand(n_pairs, *value.shape)
