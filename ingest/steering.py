"""Features set to other values in the whole model, all else left as it is: ablation by name, and steering.

Unlike a circuit's faithfulness, where everything else is ablated: here a few features are, at every position.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ingest.dictionaries import Dictionary, edits_at
from ingest.gradients import Metric, Values
from ingest.hooks import Hook, start_for
from ingest.models import Edit, LanguageModel
from ingest.nodes import Means


@dataclass(frozen=True)
class Change:
    """Features, by hook, and what becomes of them: `factor` times their value, or without one their baseline."""

    features: Mapping[Hook, Tensor]
    """Indices."""
    factor: float | None = None


@torch.no_grad()
def measure_change(
    model: LanguageModel,
    dictionaries: Mapping[Hook, Dictionary],
    baselines: Mapping[Hook, Means],
    clean: Values,
    metric: Metric,
    change: Change,
    first_position: int,
) -> Tensor:
    """The metric under the change, [pairs]. clean: what stands at the embedding and the dictionaries' hooks, unchanged.

    The model is run from the first hook that changes. Positions before `first_position` are left as they are.
    """
    hooks = [hook for hook, indices in change.features.items() if len(indices)]
    if not hooks:
        raise ValueError("a change of no feature")
    start = start_for(min(hooks, key=lambda hook: hook.depth), clean)
    assert start.boundary is not None
    edits: dict[Hook, Edit] = {}
    for hook in hooks:
        edit = _edit(dictionaries[hook], baselines[hook], change.features[hook], change.factor, first_position)
        edits |= edits_at(dictionaries[hook], edit)
    out = model.run(clean[start], start.boundary, model.n_layers, edits)
    return metric(model.logits(out[:, -1]))


def _edit(
    dictionary: Dictionary, baseline: Means, indices: Tensor, factor: float | None, first_position: int
) -> Callable[[Tensor, Tensor], Tensor]:
    def edit(x: Tensor, y: Tensor) -> Tensor:
        f = dictionary.encode(x[:, first_position:].float())[..., indices]
        wanted = baseline.features[..., first_position:, indices] if factor is None else factor * f
        moved = (wanted - f) @ dictionary.W_dec[indices]
        return torch.cat([y[:, :first_position], y[:, first_position:] + moved.to(y.dtype)], dim=1)

    return edit
