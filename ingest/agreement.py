"""How predicted effects agree with observed ones. Knows nothing of how either came about, and needs no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Agreement:
    """How predicted effects agree with observed ones. None where too little is there to say."""

    n: int
    pearson: float | None
    spearman: float | None
    slope: float | None
    """Of observed on predicted, through the origin: 1 is ideal, above it predictions are too small."""
    sign: float | None
    """Share of equal signs among those observed beyond 1 % of the metric's whole change."""


def whole_change(circuit: Mapping[str, Any]) -> float | None:
    """The metric's change from clean to patch on a circuit's row; None where one of both is not known."""
    clean, patch = circuit["clean_metric"], circuit["patch_metric"]
    return None if clean is None or patch is None else float(patch - clean)


def without_strongest(predicted: Sequence[float], observed: Sequence[float], n: int) -> tuple[list[float], list[float]]:
    """Both without the `n` that were observed to do most: a few strong ones make any correlation look good."""
    rest = np.argsort(-abs(np.asarray(observed, float)), kind="stable")[n:].tolist()
    return [predicted[one] for one in rest], [observed[one] for one in rest]


def agreement(predicted: Sequence[float], observed: Sequence[float], whole: float | None) -> Agreement:
    """whole: the metric's change from clean to patch; without it nothing is known of signs."""
    p, o = np.asarray(predicted, float), np.asarray(observed, float)
    large = abs(o) > (np.inf if whole is None else 0.01 * abs(whole))
    sign = float((p[large] * o[large] > 0).mean()) if large.any() else None
    if len(p) < 3 or not p.std() or not o.std():
        return Agreement(len(p), None, None, None, sign)
    pearson, spearman = float(stats.pearsonr(p, o).statistic), float(stats.spearmanr(p, o).statistic)
    return Agreement(len(p), pearson, spearman, float((p * o).sum() / (p * p).sum()), sign)
