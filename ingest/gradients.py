"""Analytical gradients of the metric on the model's hooks, at the clean run and averaged along a path.

The gradient passes straight through a dictionary's reconstruction (x = x̂ + ε), so one backward pass of the plain
model gives ∂m/∂x at every hook at once, and ∂m/∂f = ∂m/∂x · W_decᵀ for any dictionary there (Marks et al. 2024,
Sparse Feature Circuits). Knows nothing of dictionaries: nodes.py and edges.py map these gradients through decoders.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from ingest.hooks import EMBEDDING, Hook, start_for
from ingest.models import LanguageModel

Values = dict[Hook, Tensor]
"""One tensor a hook, [pairs, pos, d]."""


@dataclass(frozen=True)
class Metric:
    """m = logit(clean answer) − logit(patch answer) at the last position. Answers: token ids, [pairs]."""

    clean_answers: Tensor
    patch_answers: Tensor

    def __call__(self, logits: Tensor) -> Tensor:
        """logits: [pairs, vocab_size] of the last position. Returns [pairs]."""
        chosen = torch.stack([self.clean_answers, self.patch_answers], dim=1).to(logits.device)
        both = logits.float().gather(1, chosen)
        return both[:, 0] - both[:, 1]

    def __getitem__(self, rows: slice) -> "Metric":
        return Metric(self.clean_answers[rows], self.patch_answers[rows])

    def repeat(self, times: int) -> "Metric":
        return Metric(self.clean_answers.repeat(times), self.patch_answers.repeat(times))


@torch.no_grad()
def hook_values(model: LanguageModel, tokens: Tensor, hooks: Sequence[Hook], metric: Metric) -> tuple[Values, Tensor]:
    """One forward pass. tokens: [pairs, pos]. Returns the value at each hook and the metric, [pairs]."""
    values: Values = {}

    def keep(hook: Hook, x: Tensor) -> Tensor:
        values[hook] = x
        return x

    out = model.run(model.embed(tokens), 0, model.n_layers, {hook: partial(keep, hook) for hook in hooks})
    return values, metric(model.logits(out[:, -1]))


def gradients_at(
    model: LanguageModel, start: int, x: Tensor, hooks: Sequence[Hook], metric: Metric, replaced: Values | None = None
) -> tuple[Values, Tensor]:
    """∂m/∂x at each hook behind the boundary `start`, where the residual stream is x: [pairs, pos, d_model].

    `replaced` puts other values in the place of those that the model computes at a hook.
    Returns the gradients, [pairs, pos, d] each, and the metric, [pairs].
    """
    replaced = replaced or {}
    values: Values = {}

    def keep(hook: Hook, x: Tensor) -> Tensor:
        x = replaced.get(hook, x)
        values[hook] = x if x.requires_grad else x.detach().requires_grad_()
        return values[hook]

    edited = dict.fromkeys([*hooks, *replaced])
    with torch.enable_grad():
        leaf = x.detach().requires_grad_()
        out = model.run(leaf, start, model.n_layers, {hook: partial(keep, hook) for hook in edited})
        m = metric(model.logits(out[:, -1]))
        found = torch.autograd.grad(m.sum(), [values[hook] for hook in hooks])
    return dict(zip(hooks, found, strict=True)), m.detach()


def midpoints(steps: int) -> list[float]:
    """The points of [0, 1] at which a path integral is taken (midpoint rule)."""
    return [(step + 0.5) / steps for step in range(steps)]


def along_inputs(
    model: LanguageModel, clean: Values, patch: Values, hooks: Sequence[Hook], metric: Metric, steps: int
) -> Values:
    """Mean gradient while the input embeddings move from clean to patch (Hanna et al. 2024, EAP-IG).

    `steps` passes serve all hooks at once.
    """
    total: Values = {}
    for alpha in midpoints(steps):
        x = torch.lerp(clean[EMBEDDING], patch[EMBEDDING], alpha)
        found, _ = gradients_at(model, 0, x, hooks, metric)
        for hook, gradient in found.items():
            total[hook] = total[hook] + gradient / steps if hook in total else gradient / steps
    return total


def along_hooks(
    model: LanguageModel, clean: Values, patch: Values, hooks: Sequence[Hook], metric: Metric, steps: int
) -> Values:
    """Mean gradient while one hook's value alone moves from clean to patch, hook by hook (Marks et al. 2024).

    Each step starts at the deepest residual hook that is not behind the moving one: all before it is as on the
    clean run.
    """
    total: Values = {}
    for hook in hooks:
        start = start_for(hook, clean)
        assert start.boundary is not None
        for alpha in midpoints(steps):
            moved = {hook: torch.lerp(clean[hook], patch[hook], alpha)}
            found, _ = gradients_at(model, start.boundary, clean[start], [hook], metric, moved)
            total[hook] = total[hook] + found[hook] / steps if hook in total else found[hook] / steps
    return total
