"""A dictionary with its thresholds folded into its weights, so that features of different scales can be compared.

Knows nothing of how they are compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ingest.dictionaries import Dictionary, Gated, JumpReLU, TopK


@dataclass(frozen=True)
class Folded:
    """A dictionary in units of its features' scales: f = scale · f', x̂ = f' decoder + b_dec."""

    encoder: Tensor
    """Rows of W_enc / scale, [n_features, d_in]"""
    bias: Tensor
    """What is added to them where the input is x − b_in, as the dictionary has it: the stream's centre moves from layer
    to layer, and would move all biases with it. [n_features]"""
    decoder: Tensor
    """W_dec · scale, [n_features, d_out]"""
    scale: Tensor
    """[n_features]"""

    @property
    def parameters(self) -> Tensor:
        """Encoder, decoder and bias of each feature in one row, [n_features, d_in + d_out + 1]."""
        return torch.cat([self.encoder, self.decoder, self.bias[:, None]], dim=1)


def fold(dictionaries: Sequence[Dictionary]) -> list[Folded]:
    """Folds the thresholds θ into the weights (Balagansky et al. 2024, eq. 5): W_enc/θ, b/θ, θ·W_dec; all become 1.

    Where a threshold is zero or varies (ReLU, TopK) there is nothing to fold: then every feature of all these
    dictionaries is brought to a decoder row of unit norm instead, so that they stay comparable.
    """
    thresholds = [_linear(one)[2] for one in dictionaries]
    if all(bool((threshold > 0).all()) for threshold in thresholds):
        return [_scaled(one, threshold) for one, threshold in zip(dictionaries, thresholds, strict=True)]
    return [_scaled(one, 1 / one.W_dec.norm(dim=1).clamp(min=1e-12)) for one in dictionaries]


def _scaled(dictionary: Dictionary, scale: Tensor) -> Folded:
    """f' = f / scale."""
    encoder, bias, _ = _linear(dictionary)
    return Folded(encoder / scale[:, None], bias / scale, dictionary.W_dec * scale[:, None], scale)


def _linear(dictionary: Dictionary) -> tuple[Tensor, Tensor, Tensor]:
    """Rows and bias of z = (x − b_in) W + b, and the θ above which f = z; θ = 0 where there is none, or it varies."""
    rows, activation = dictionary.W_enc.T, dictionary.activation
    if isinstance(activation, JumpReLU):
        bias, threshold = activation.bias, activation.threshold
    elif isinstance(activation, Gated):
        # The gate opens at π > −b_gate, where z = e^r π + b_mag is b_mag − e^r b_gate: a JumpReLU.
        growth = activation.log_scale.exp()
        rows, bias = rows * growth[:, None], activation.magnitude_bias
        threshold = (bias - growth * activation.gate_bias).clamp(min=0)
    else:
        assert isinstance(activation, TopK)
        bias, threshold = activation.bias, torch.zeros_like(activation.bias)
    return rows, bias, threshold
