"""Predicted effects of nodes: features, error terms and tokens.

An effect is the predicted change of the metric when the node alone takes its value of the patch run.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from ingest.dictionaries import Dictionary
from ingest.hooks import EMBEDDING, Hook

Kind = Literal["feature", "error", "token", "metric"]


@dataclass(frozen=True)
class Node:
    """One node of a circuit, at one position. Only features have an index; the metric has no hook and no position."""

    kind: Kind
    hook: Hook | None = None
    position: int | None = None
    index: int | None = None


METRIC = Node("metric")


@dataclass(frozen=True)
class Ranked:
    """Candidate nodes with their mean effect over pairs, strongest first."""

    nodes: list[Node]
    effects: list[float]


def node_effects(gradient: Tensor, change: Tensor, decoder: Tensor) -> Tensor:
    """First-order effect of each feature on the metric (Marks et al. 2024, eq. 3).

    gradient: ∂m/∂x, [..., d_model]. change: f_patch − f_clean, [..., d_sae]. decoder: [d_sae, d_model].
    Returns [..., d_sae], in units of the metric.
    """
    return (gradient @ decoder.T) * change


def between(by_clean: Tensor, by_path: Tensor, part: Tensor, whole: Tensor) -> Tensor:
    """by_clean moved towards by_path by the share min(1, |part| / |whole|)."""
    share = (part.abs() / whole.abs().clamp(min=torch.finfo(part.dtype).tiny)).clamp(max=1)
    return by_clean + share * (by_path - by_clean)


@dataclass(frozen=True)
class Slopes:
    """What effects at one hook are predicted from.

    A path average answers "what if everything moves", the clean gradient "what if almost nothing does". A node that
    moves alone is in between, by the share of the whole change that it brings; on the average it brings half of that
    at a time, so twice its effect is compared (share-weighted path gradients). Without `at_clean`, the average alone.
    """

    along: Tensor
    """∂m/∂x, averaged along a path or at one point of it, [pairs, pos, d]"""
    at_clean: Tensor | None = None
    """The same at the clean run."""
    whole: Tensor | None = None
    """m(patch) − m(clean), [pairs]"""

    def __getitem__(self, rows: slice) -> "Slopes":
        return Slopes(*(None if part is None else part[rows] for part in (self.along, self.at_clean, self.whole)))  # type: ignore[arg-type]

    def effects(self, first_order: Callable[[Tensor], Tensor]) -> Tensor:
        """first_order: the effects, [pairs, ...], that follow from a gradient, [pairs, pos, d]."""
        along = first_order(self.along.float())
        if self.at_clean is None or self.whole is None:
            return along
        whole = self.whole.view(-1, *[1] * (along.ndim - 1))
        return between(first_order(self.at_clean.float()), along, 2 * along, whole)


def _along(gradient: Tensor, change: Tensor) -> Tensor:
    return (gradient * change).sum(-1)


@dataclass(frozen=True)
class Means:
    """What stands at one hook on average over the clean and the patch prompts of the pairs, by position.

    Or any other baseline in its place, which may differ between pairs: with a first dimension [pairs, …] then.
    """

    features: Tensor
    """[pos, d_sae]"""
    value: Tensor
    """[pos, d_in]"""


@torch.no_grad()
def mean_effects(
    dictionary: Dictionary, slopes: Slopes, clean: Tensor, patch: Tensor, rows: int
) -> tuple[Tensor, Tensor, Means]:
    """Effects at one hook, averaged over pairs, `rows` pairs at a time.

    clean, patch: [pairs, pos, d_in]. Returns the effects of features, [pos, d_sae], and of the error term, [pos], and
    the means that ablation replaces by.
    """
    n_pairs, n_positions, _ = clean.shape
    features = torch.zeros(n_positions, dictionary.n_features, device=clean.device)
    errors = torch.zeros(n_positions, device=clean.device)
    means = torch.zeros_like(features)
    for start in range(0, n_pairs, rows):
        some = slopes[start : start + rows]
        x, y = (t[start : start + rows].float() for t in (clean, patch))
        f_x, f_y = dictionary.encode(x), dictionary.encode(y)
        change, error = f_y - f_x, (y - dictionary.decode(f_y)) - (x - dictionary.decode(f_x))
        features += some.effects(partial(node_effects, change=change, decoder=dictionary.W_dec)).sum(0)
        errors += some.effects(partial(_along, change=error)).sum(0)
        means += (f_x + f_y).sum(0) / 2
    value = (clean.float().mean(0) + patch.float().mean(0)) / 2
    return features / n_pairs, errors / n_pairs, Means(means / n_pairs, value)


@torch.no_grad()
def means_of(dictionary: Dictionary, values: Tensor, rows: int = 64) -> Means:
    """The means over prompts of what stands at one hook, `rows` prompts at a time. values: [prompts, pos, d_in]."""
    total = torch.zeros(values.shape[1], dictionary.n_features, device=values.device)
    for part in torch.split(values, rows):
        total += dictionary.encode(part.float()).sum(0)
    return Means(total / len(values), values.float().mean(0))


def rank(effects: dict[Hook, tuple[Tensor, Tensor]], first_position: int, most: int) -> Ranked:
    """The `most` features, and every error term, of largest mean effect in size.

    effects: at each hook those of features, [pos, d_sae], and of error terms, [pos]. Positions before
    `first_position` (a start token) are left out: what stands there is the same in every prompt.
    """
    found: list[tuple[float, Node]] = []
    for hook, (features, errors) in effects.items():
        inner = features[first_position:]
        strongest = inner.abs().flatten().topk(min(most, inner.numel()))
        for flat in strongest.indices.tolist():
            position, index = divmod(flat, inner.shape[1])
            effect = float(inner[position, index])
            if effect:
                found.append((effect, Node("feature", hook, first_position + position, index)))
        for position in range(first_position, len(errors)):
            if effect := float(errors[position]):
                found.append((effect, Node("error", hook, position)))
    found.sort(key=lambda one: (-abs(one[0]), sort_key(one[1])))
    return Ranked([node for _, node in found], [effect for effect, _ in found])


def sort_key(node: Node) -> tuple[int, int, int, str, int]:
    """The order in which a circuit's nodes are listed: as the forward pass meets them."""
    depth = node.hook.depth if node.hook else (1 << 30, 0)
    return (*depth, node.position if node.position is not None else -1, node.kind, node.index or 0)


def token_nodes(clean: Tensor, patch: Tensor) -> list[Node]:
    """The positions whose token differs in some pair. clean, patch: token ids, [pairs, pos]."""
    return [Node("token", EMBEDDING, p) for p in (clean != patch).any(0).nonzero().flatten().tolist()]


@dataclass(frozen=True)
class Directions:
    """How nodes at one hook move its value when they are patched: D in x_patched = x_clean + D."""

    nodes: list[Node]
    positions: Tensor
    """[nodes]"""
    change: Tensor
    """D, [pairs, nodes, d]"""
    activation: Tensor
    """Activations on the clean run, zero for what is no feature, [pairs, nodes]"""

    def __getitem__(self, rows: slice) -> "Directions":
        """The same nodes in some of the pairs."""
        return Directions(self.nodes, self.positions, self.change[rows], self.activation[rows])

    def only(self, nodes: Sequence[Node]) -> "Directions":
        """Some of the nodes."""
        numbers = [self.nodes.index(node) for node in nodes]
        return Directions(list(nodes), self.positions[numbers], self.change[:, numbers], self.activation[:, numbers])

    def along(self, gradient: Tensor) -> Tensor:
        """First-order effect of each node. gradient: [pairs, pos, d]. Returns [pairs, nodes]."""
        return torch.einsum("bnd,bnd->bn", gradient[:, self.positions].float(), self.change)


@torch.no_grad()
def directions(dictionary: Dictionary | None, nodes: Sequence[Node], clean: Tensor, patch: Tensor) -> Directions:
    """The directions of `nodes`, all at one hook. clean, patch: [pairs, pos, d]; no dictionary for tokens."""
    positions = torch.tensor([node.position for node in nodes], dtype=torch.long, device=clean.device)
    x, y = clean[:, positions].float(), patch[:, positions].float()
    change = y - x
    activation = torch.zeros(change.shape[:2], device=clean.device)
    if dictionary is not None:
        f_x, f_y = dictionary.encode(x), dictionary.encode(y)
        change = (y - dictionary.decode(f_y)) - (x - dictionary.decode(f_x))
        for n, node in enumerate(nodes):
            if node.index is not None:
                activation[:, n] = f_x[:, n, node.index]
                step = f_y[:, n, node.index] - f_x[:, n, node.index]
                change[:, n] = step[:, None] * dictionary.W_dec[node.index]
    return Directions(list(nodes), positions, change, activation)


def pair_effects(found: dict[Hook, Directions], slopes: dict[Hook, Slopes]) -> dict[Node, Tensor]:
    """The effect of every node in every pair, [pairs] each."""
    effects: dict[Node, Tensor] = {}
    for hook, at_hook in found.items():
        for node, effect in zip(at_hook.nodes, slopes[hook].effects(at_hook.along).T, strict=True):
            effects[node] = effect
    return effects
