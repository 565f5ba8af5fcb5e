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
from ingest.gradients import Values
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
        at_clean, whole = (None if part is None else part[rows] for part in (self.at_clean, self.whole))
        return Slopes(self.along[rows], at_clean, whole)

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
    """[pos, d_out]"""


@torch.no_grad()
def mean_effects(
    dictionary: Dictionary, slopes: Slopes, clean: Values, patch: Values, rows: int
) -> tuple[Tensor, Tensor, Means]:
    """Effects at a dictionary's hook, averaged over pairs, `rows` pairs at a time.

    clean, patch: values at its hooks. Returns the effects of features, [pos, d_sae], and of the error term, [pos], and
    the means that ablation replaces by.
    """
    n_pairs, n_positions, _ = slopes.along.shape
    features = torch.zeros(n_positions, dictionary.n_features, device=slopes.along.device)
    errors = torch.zeros(n_positions, device=slopes.along.device)
    means = torch.zeros_like(features)
    for start in range(0, n_pairs, rows):
        some = slice(start, start + rows)
        (x_c, y_c), (x_p, y_p) = ([v[some].float() for v in dictionary.read(values)] for values in (clean, patch))
        f_c, f_p = dictionary.encode(x_c), dictionary.encode(x_p)
        change, error = f_p - f_c, (y_p - dictionary.decode(f_p)) - (y_c - dictionary.decode(f_c))
        features += slopes[some].effects(partial(node_effects, change=change, decoder=dictionary.W_dec)).sum(0)
        errors += slopes[some].effects(partial(_along, change=error)).sum(0)
        means += (f_c + f_p).sum(0) / 2
    value = (clean[dictionary.hook].float().mean(0) + patch[dictionary.hook].float().mean(0)) / 2
    return features / n_pairs, errors / n_pairs, Means(means / n_pairs, value)


@torch.no_grad()
def means_of(dictionary: Dictionary, values: Values, rows: int = 64) -> Means:
    """The means over prompts at a dictionary's hook, `rows` prompts at a time. values: [prompts, pos, d] at each."""
    x, y = dictionary.read(values)
    total = torch.zeros(x.shape[1], dictionary.n_features, device=x.device)
    for part in torch.split(x, rows):
        total += dictionary.encode(part.float()).sum(0)
    return Means(total / len(x), y.float().mean(0))


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
def directions(dictionary: Dictionary | None, nodes: Sequence[Node], clean: Values, patch: Values) -> Directions:
    """The directions of `nodes`, at the dictionary's hook, or of tokens. clean, patch: values at its hooks."""
    hook = EMBEDDING if dictionary is None else dictionary.hook
    positions = torch.tensor([node.position for node in nodes], dtype=torch.long, device=clean[hook].device)
    y_c, y_p = clean[hook][:, positions].float(), patch[hook][:, positions].float()
    change = y_p - y_c
    activation = torch.zeros(change.shape[:2], device=change.device)
    if dictionary is not None:
        f_c, f_p = (dictionary.encode(values[dictionary.reads][:, positions].float()) for values in (clean, patch))
        change = (y_p - dictionary.decode(f_p)) - (y_c - dictionary.decode(f_c))
        for n, node in enumerate(nodes):
            if node.index is not None:
                activation[:, n] = f_c[:, n, node.index]
                step = f_p[:, n, node.index] - f_c[:, n, node.index]
                change[:, n] = step[:, None] * dictionary.W_dec[node.index]
    return Directions(list(nodes), positions, change, activation)


def pair_effects(found: dict[Hook, Directions], slopes: dict[Hook, Slopes]) -> dict[Node, Tensor]:
    """The effect of every node in every pair, [pairs] each."""
    effects: dict[Node, Tensor] = {}
    for hook, at_hook in found.items():
        for node, effect in zip(at_hook.nodes, slopes[hook].effects(at_hook.along).T, strict=True):
            effects[node] = effect
    return effects
