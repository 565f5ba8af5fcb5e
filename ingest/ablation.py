"""Faithfulness and completeness of a circuit: what the model still does when everything else is set to a baseline.

At every dictionary's hook the value y = Σ f_i W_dec[i] + b + ε is put together anew, with features outside the
circuit at their baseline and the error term ε kept, or at its baseline too. The baseline is the mean over prompts (by
position), zero, or what stands there in another prompt. Completeness is F of the circuit's complement, 0 is ideal.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ingest.dictionaries import Dictionary, edits_at
from ingest.gradients import Metric, Values
from ingest.hooks import Hook
from ingest.models import Edit, LanguageModel
from ingest.nodes import Means, Node

Errors = Literal["kept", "ablated"]
Baseline = Literal["mean", "zero", "resample"]
Kind = Literal["faithfulness", "completeness", "random", "minimality", "pruning"]


@dataclass(frozen=True)
class Intervention:
    """One measurement: `nodes` are the features kept, or with `complement` the ones ablated.

    `left_out`: a node of the circuit that is not kept (minimality: what does the circuit lose with it?).
    """

    kind: Kind
    nodes: Sequence[Node]
    errors: Errors
    seed: int | None = None
    left_out: Node | None = None

    @property
    def complement(self) -> bool:
        return self.kind == "completeness"


@torch.no_grad()
def measure(
    model: LanguageModel,
    dictionaries: dict[Hook, Dictionary],
    baselines: dict[Hook, Means],
    tokens: Tensor,
    metric: Metric,
    interventions: Sequence[Intervention],
    first_position: int,
) -> Tensor:
    """The metric under each intervention, all in one batch. tokens: [pairs, pos]. Returns [interventions, pairs].

    baselines: what takes the place of what is ablated (see `zero` and `resampled` for others than means). Positions
    before `first_position` (a start token) are left as they are.
    """
    n = len(interventions)
    first = min(dictionaries, key=lambda hook: hook.depth)
    start = first.boundary if first.boundary is not None else first.layer
    x = model.run(model.embed(tokens), 0, start).repeat(n, 1, 1)
    edits: dict[Hook, Edit] = {}
    for hook, dictionary in dictionaries.items():
        edits |= edits_at(dictionary, _edit(dictionary, baselines[hook], hook, interventions, first_position))
    out = model.run(x, start, model.n_layers, edits)
    return metric.repeat(n)(model.logits(out[:, -1])).view(n, -1)


def _edit(
    dictionary: Dictionary, means: Means, hook: Hook, interventions: Sequence[Intervention], first_position: int
) -> Callable[[Tensor, Tensor], Tensor]:
    means = Means(means.features[..., first_position:, :], means.value[..., first_position:, :])
    like = means.features if means.features.ndim == 2 else means.features[0]
    masks = torch.stack([_mask(one, hook, like, first_position) for one in interventions])
    keep_error = torch.tensor([one.errors == "kept" for one in interventions], device=masks.device)
    mean_error = means.value - dictionary.decode(means.features)

    def by_intervention(x: Tensor) -> Tensor:
        return x.view(len(interventions), -1, *x.shape[1:])[:, :, first_position:].float()

    def edit(x: Tensor, y: Tensor) -> Tensor:
        f = dictionary.encode(by_intervention(x))
        # y' = Σ f'_i W_i + b + ε' with f' = f or its mean: only differences from the mean need decoding.
        new = means.value + ((f - means.features) * masks[:, None]) @ dictionary.W_dec
        if keep_error.any():
            new += (by_intervention(y) - dictionary.decode(f) - mean_error) * keep_error[:, None, None, None]
        inner = new.reshape(y.shape[0], -1, y.shape[2]).to(y.dtype)
        return torch.cat([y[:, :first_position], inner], dim=1)

    return edit


def _mask(one: Intervention, hook: Hook, like: Tensor, first_position: int) -> Tensor:
    """Which features of a hook go on, [pos, d_sae] from the first position on."""
    mask = torch.full_like(like, float(one.complement))
    here = [node for node in one.nodes if node.hook == hook and node.kind == "feature" and node != one.left_out]
    if here:
        positions, indices = torch.tensor([(node.position, node.index) for node in here], device=like.device).T
        mask[positions - first_position, indices] = float(not one.complement)
    return mask


def zero(dictionary: Dictionary, means: Means) -> Means:
    """The baseline at which no feature is active and there is no error."""
    nothing = torch.zeros_like(means.features)
    return Means(nothing, dictionary.decode(nothing))


def resampled(dictionary: Dictionary, values: Values, n_pairs: int, seed: int) -> Means:
    """The baseline at which each pair has what stands in another prompt, drawn from values, [prompts, pos, d] each."""
    x, y = dictionary.read(values)
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(len(y), (n_pairs,), generator=generator).to(y.device)
    return Means(dictionary.encode(x[drawn].float()), y[drawn].float())


def random_circuit(nodes: Sequence[Node], means: dict[Hook, Means], seed: int) -> list[Node]:
    """As many features as `nodes` has at each hook and position, drawn from the others ever active there."""
    generator = torch.Generator().manual_seed(seed)
    drawn: list[Node] = []
    places: dict[tuple[Hook | None, int | None], int] = {}
    for node in nodes:
        places[node.hook, node.position] = places.get((node.hook, node.position), 0) + 1
    for (hook, position), count in places.items():
        assert hook is not None
        assert position is not None
        active = means[hook].features[position].nonzero().flatten().cpu()
        own = torch.tensor([node.index for node in nodes if (node.hook, node.position) == (hook, position)])
        active = active[~torch.isin(active, own)]
        chosen = active[torch.randperm(len(active), generator=generator)[:count]]
        drawn += [Node("feature", hook, position, index) for index in chosen.tolist()]
    return drawn
