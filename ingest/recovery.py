"""How much of what the model does a circuit does: shares of the metric, how sure they are, and areas under curves.

Knows nothing of models: metrics of pairs in, numbers out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

_RESAMPLES = 1000
_EQUAL = 1e-6
_ROUNDING = 1e-4
"""Of a metric's size: what varies by less over pairs does so by rounding. It is a difference of larger logits, and on
an accelerator equal rows of one batch may differ in their last bits."""


@dataclass(frozen=True)
class Recovery:
    """What the pairs say of one intervention. None where it can't be said."""

    metric: float
    share: float | None
    """F = (m(C) − m(∅)) / (m(M) − m(∅)) (Marks et al. 2024)"""
    low: float | None
    high: float | None
    """95 % confidence interval of F, by bootstrap over pairs"""
    sign_agreement: float | None
    """Share of pairs whose metric has the sign that it has in the full model, right or wrong"""
    accuracy: float
    """Share of pairs whose metric is above zero: the right answer's logit is the larger one"""
    correlation: float | None
    """Pearson r with the full model's metric, over pairs. None where one of them does not vary"""


def share_recovered(metric: float, empty: float, full: float) -> float | None:
    """F = (m(C) − m(∅)) / (m(M) − m(∅)); None where the full and the empty circuit do equally well."""
    if abs(full - empty) <= _EQUAL * max(abs(full), abs(empty)):
        return None
    return (metric - empty) / (full - empty)


def recovery(metric: Tensor, empty: Tensor, full: Tensor) -> Recovery:
    """Of the metric under an intervention, in the empty circuit and in the full model, [pairs] each."""
    m, e, f = (values.double().cpu().numpy() for values in (metric, empty, full))
    share = share_recovered(float(m.mean()), float(e.mean()), float(f.mean()))
    low = high = None
    if share is not None and len(m) > 1:
        drawn = np.random.default_rng(0).integers(0, len(m), (_RESAMPLES, len(m)))
        below = (f[drawn] - e[drawn]).mean(1)
        shares = (m[drawn] - e[drawn]).mean(1)[below != 0] / below[below != 0]
        if len(shares):
            low, high = (float(edge) for edge in np.percentile(shares, [2.5, 97.5]))
    sign = float((np.sign(m) == np.sign(f)).mean())
    right = float((m > 0).mean())
    varied = len(m) > 2 and all(one.std() > _ROUNDING * abs(one).max() for one in (m, f))
    correlation = float(np.corrcoef(m, f)[0, 1]) if varied else None
    return Recovery(float(m.mean()), share, low, high, sign, right, correlation)


def areas(kept: Sequence[float], shares: Sequence[float]) -> tuple[float, float]:
    """CPR and CMD as the MIB benchmark defines them (Mueller et al. 2025): ∫F dk and ∫|1 − F| dk.

    kept: the share k of all nodes (or edges) that each circuit keeps, ascending from 0 to 1; shares: its F. Trapezoids.
    """
    k, f = np.asarray(kept, float), np.asarray(shares, float)
    return float(np.trapezoid(f, k)), float(np.trapezoid(abs(1 - f), k))
