"""Faithfulness and completeness of a circuit: what the model still does when everything else is set to its mean.

At every dictionary's hook the value y = Σ f_i W_dec[i] + b + ε is put together anew, with features outside the
circuit at their mean over prompts (by position) and the error term ε kept, or at its mean too.
F = (m(C) − m(∅)) / (m(M) − m(∅)) (Marks et al. 2024); completeness is F of the circuit's complement, 0 is ideal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from ingest.dictionaries import Dictionary
from ingest.gradients import Metric
from ingest.hooks import Hook
from ingest.models import Edit, LanguageModel
from ingest.nodes import Means, Node

Errors = Literal["kept", "ablated"]


@dataclass(frozen=True)
class Intervention:
    """One measurement: `nodes` are the features kept, or with `complement` the ones ablated."""

    kind: Literal["faithfulness", "completeness", "random"]
    nodes: Sequence[Node]
    errors: Errors
    seed: int | None = None

    @property
    def complement(self) -> bool:
        return self.kind == "completeness"


@torch.no_grad()
def measure(
    model: LanguageModel,
    dictionaries: dict[Hook, Dictionary],
    means: dict[Hook, Means],
    tokens: Tensor,
    metric: Metric,
    interventions: Sequence[Intervention],
    first_position: int,
) -> Tensor:
    """The metric under each intervention, all in one batch. tokens: [pairs, pos]. Returns [interventions, pairs].

    Positions before `first_position` (a start token) are left as they are.
    """
    n = len(interventions)
    first = min(dictionaries, key=lambda hook: hook.depth)
    start = first.boundary if first.boundary is not None else first.layer
    x = model.run(model.embed(tokens), 0, start).repeat(n, 1, 1)
    edits: dict[Hook, Edit] = {}
    for hook, dictionary in dictionaries.items():
        read: list[Tensor] = []
        if dictionary.reads != hook:
            edits[dictionary.reads] = partial(_keep, read)
        edits[hook] = _edit(dictionary, means[hook], hook, read, interventions, first_position)
    out = model.run(x, start, model.n_layers, edits)
    return metric.repeat(n)(model.logits(out[:, -1])).view(n, -1)


def _keep(kept: list[Tensor], x: Tensor) -> Tensor:
    kept[:] = [x]
    return x


def _edit(
    dictionary: Dictionary,
    means: Means,
    hook: Hook,
    read: list[Tensor],
    interventions: Sequence[Intervention],
    first_position: int,
) -> Edit:
    """read: where what a transcoder reads has been put when its hook is met; stays empty for an autoencoder."""
    means = Means(means.features[first_position:], means.value[first_position:])
    masks = torch.stack([_mask(one, hook, means.features, first_position) for one in interventions])
    keep_error = torch.tensor([one.errors == "kept" for one in interventions], device=masks.device)
    mean_error = means.value - dictionary.decode(means.features)

    def by_intervention(x: Tensor) -> Tensor:
        return x.view(len(interventions), -1, *x.shape[1:])[:, :, first_position:].float()

    def edit(y: Tensor) -> Tensor:
        f = dictionary.encode(by_intervention(read[0] if read else y))
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
    for node in one.nodes:
        if node.hook == hook and node.kind == "feature":
            assert node.position is not None
            mask[node.position - first_position, node.index] = float(not one.complement)
    return mask


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


def share_recovered(metric: float, empty: float, full: float) -> float | None:
    """F = (m(C) − m(∅)) / (m(M) − m(∅)); None where the full and the empty circuit do equally well."""
    return None if full == empty else (metric - empty) / (full - empty)
