"""The part of the model between a target and what acts on it directly, run alone.

The residual hook before the target is the whole state; what stands at other dictionaries' hooks in between is held,
so that what is seen to act is direct.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from ingest.dictionaries import Dictionary, places
from ingest.gradients import Metric, Values
from ingest.hooks import EMBEDDING, Hook
from ingest.memory import slices
from ingest.models import Edit, LanguageModel
from ingest.nodes import Directions, Node


@dataclass(frozen=True)
class Stretch:
    """The part of the model between a target and what acts on it directly. The target None is the metric."""

    base: Hook
    between: list[Hook]
    target: Hook | None

    @property
    def sources(self) -> list[Hook]:
        return [self.base, *self.between]


def stretch_to(target: Hook | None, hooks: Sequence[Hook]) -> Stretch:
    """The stretch that ends in a target: it begins at the deepest residual hook before it (or at the embedding)."""
    before = [h for h in [EMBEDDING, *hooks] if target is None or h.depth < target.depth]
    base = max((h for h in before if h.boundary is not None), key=lambda h: h.depth)
    return Stretch(base, sorted((h for h in before if h.depth > base.depth), key=lambda h: h.depth), target)


def value_at_end(model: LanguageModel, stretch: Stretch, leaves: Values) -> Tensor:
    """The residual stream behind the last block when `leaves` stand at the sources of a stretch to the metric."""
    assert stretch.base.boundary is not None
    return model.run(leaves[stretch.base], stretch.base.boundary, model.n_layers, _held(stretch, leaves))


def values_at(model: LanguageModel, stretch: Stretch, leaves: Values, hooks: Sequence[Hook]) -> Values:
    """What stands at some hooks (of the target's dictionary) when `leaves` stand at the stretch's sources."""
    reached: Values = {}

    def reach(hook: Hook, x: Tensor) -> Tensor:
        reached[hook] = x
        return x

    assert stretch.base.boundary is not None
    stop = max(hook.stop for hook in hooks)
    edits = _held(stretch, leaves) | {hook: partial(reach, hook) for hook in hooks}
    model.run(leaves[stretch.base], stretch.base.boundary, stop, edits)
    return {hook: reached[hook] for hook in hooks}


def _held(stretch: Stretch, leaves: Values) -> dict[Hook, Edit]:
    """Edits that put leaves in the place of what the model computes at the sources behind the stretch's start."""
    return {hook: partial(_replace, leaf) for hook, leaf in leaves.items() if hook is not stretch.base}


def _replace(value: Tensor, _: Tensor) -> Tensor:
    return value


@torch.no_grad()
def patched_targets(
    model: LanguageModel,
    stretch: Stretch,
    starts: Sequence[Node],
    sources: dict[Hook, Directions],
    dictionary: Dictionary,
    targets: Collection[Node],
    clean: Values,
    rows: int,
) -> Iterator[tuple[list[Node], Node, Tensor]]:
    """What each target alone changes its hook's value by when one source alone is patched.

    targets: nodes of the dictionary. Yields some of the starts, `rows` rows at a time (one a source and pair), and a
    target with the changes, [sources, pairs, d]. Starts that stand behind every target are left out.
    """
    at: dict[int, list[Node]] = defaultdict(list)
    for target in targets:
        assert target.position is not None
        at[target.position].append(target)
    length = max(at) + 1
    acting = [node for node in starts if node.position is not None and node.position < length]
    for some, leaves in _patched(stretch, acting, sources, clean, length, rows):
        found = values_at(model, stretch, leaves, places([dictionary]))
        values = {hook: x.view(len(some), -1, *x.shape[1:]) for hook, x in found.items()}
        for position, here in at.items():
            # What stands behind can't act: not even by the last bits, which differ between batches.
            before = torch.tensor([(node.position or 0) <= position for node in some], device=model.device)
            for target, change in zip(here, _changes_of(dictionary, here, clean, values, position), strict=True):
                yield some, target, change * before[:, None, None]


@torch.no_grad()
def patched_metric(
    model: LanguageModel,
    stretch: Stretch,
    starts: Sequence[Node],
    sources: dict[Hook, Directions],
    metric: Metric,
    clean: Values,
    rows: int,
) -> Iterator[tuple[list[Node], Tensor]]:
    """The metric when one source alone is patched: some of the starts with the metric, [sources, pairs]."""
    for some, leaves in _patched(stretch, starts, sources, clean, None, rows):
        end = value_at_end(model, stretch, leaves)
        yield some, metric.repeat(len(some))(model.logits(end[:, -1])).view(len(some), -1)


def _patched(
    stretch: Stretch,
    starts: Sequence[Node],
    sources: dict[Hook, Directions],
    clean: Values,
    length: int | None,
    rows: int,
) -> Iterator[tuple[list[Node], Values]]:
    """Some of the starts, and the values at the stretch's sources when each alone is patched: [sources · pairs, …]."""
    n_pairs = len(clean[stretch.base])
    for s in slices(len(starts), max(1, rows // n_pairs)):
        some = list(starts[s])
        leaves = {hook: clean[hook][:, :length].repeat(len(some), 1, 1) for hook in stretch.sources}
        for number, node in enumerate(some):
            assert node.hook is not None
            at_hook = sources[node.hook]
            change = at_hook.change[:, at_hook.nodes.index(node)]
            leaves[node.hook][number * n_pairs : (number + 1) * n_pairs, node.position] += change.to(
                leaves[node.hook].dtype
            )
        yield some, leaves


def _changes_of(
    dictionary: Dictionary, targets: Sequence[Node], before: Values, after: Values, position: int
) -> Iterator[Tensor]:
    """What the hook's value changes by when one target alone goes from its value before to the one after.

    targets: all at `position`. before: [pairs, pos, d] at the dictionary's hooks; after: the same, [sources, pairs,
    pos, d]. Yields [sources, pairs, d] for each target.
    """
    x, y = ([value[..., position, :].float() for value in dictionary.read(values)] for values in (before, after))
    step = dictionary.encode(y[0]) - dictionary.encode(x[0])
    for target in targets:
        if target.index is None:
            yield y[1] - x[1] - step @ dictionary.W_dec
        else:
            yield step[..., target.index, None] * dictionary.W_dec[target.index]
