"""The assignment of least total cost between two sets, without a dense solver.

An optimal assignment uses few of the n · m pairs. So the sparse problem over each row's and column's cheapest pairs is
solved, and what its dual solution says of all other pairs tells which of them could make it cheaper: those are added,
until there are none. Then the assignment is optimal among all pairs, not only among those that were looked at.
Knows nothing of features.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching
from torch import Tensor

_NEAREST = 24
_ADDED = 8  # pairs a row that one round adds, at most


@dataclass(frozen=True)
class Assignment:
    """Rows and columns that belong together, min(n, m) of each."""

    rows: Tensor
    columns: Tensor
    cost: float
    gap: float
    """No assignment costs less than cost − gap; rounding errors of float32 at most."""


def assign(cost: Tensor, nearest: int = _NEAREST) -> Assignment:
    """The assignment of least total cost. cost: finite, [n, m], n and m of any size."""
    if cost.shape[0] > cost.shape[1]:
        turned = assign(cost.T.contiguous(), nearest)
        order = turned.columns.argsort()
        return Assignment(turned.columns[order], turned.rows[order], turned.cost, turned.gap)
    cost = cost.float().cpu()
    n, m = cost.shape
    tolerance = 1e-6 * max(1.0, float(cost.abs().max()))
    shift = float(cost.min()) - 1.0  # the solver takes an explicit zero for a missing pair
    pairs = _cheapest(cost, nearest)
    while True:
        rows, columns = pairs // m, pairs % m
        weights = cost.view(-1)[torch.from_numpy(pairs)].double().numpy() - shift
        _, chosen = min_weight_full_bipartite_matching(csr_array((weights, (rows, columns)), shape=(n, m)))
        of_rows, of_columns = _duals(rows, columns, weights, chosen, m)
        v = torch.from_numpy(of_columns.astype(np.float32))
        least = (cost - v).min(dim=1).values.double().numpy() - shift - of_rows
        wrong = np.flatnonzero(least < -tolerance)
        of_some = (
            cost[torch.from_numpy(wrong)] - v - torch.from_numpy((of_rows[wrong] + shift).astype(np.float32))[:, None]
        )
        found = of_some.topk(min(_ADDED, m), dim=1, largest=False)
        cheaper = (wrong[:, None] * m + found.indices.numpy())[(found.values < -tolerance).numpy()]
        more = np.union1d(pairs, cheaper)
        if len(more) == len(pairs):  # what is in the sparse problem already differs by rounding only
            total = float(cost[torch.arange(n), torch.from_numpy(chosen).long()].double().sum())
            gap = float(-np.minimum(least, 0).sum())
            return Assignment(torch.arange(n), torch.from_numpy(chosen.astype(np.int64)), total, gap)
        pairs = more


def _cheapest(cost: Tensor, nearest: int) -> np.ndarray:
    """Each row's and each column's cheapest pairs, and those of one assignment: without it there might be none."""
    n, m = cost.shape
    of_rows = cost.topk(min(nearest, m), dim=1, largest=False).indices
    of_columns = cost.T.contiguous().topk(min(nearest, n), dim=1, largest=False).indices
    parts = [
        torch.arange(n)[:, None] * m + of_rows,
        of_columns * m + torch.arange(m)[:, None],
        torch.arange(n) * m + torch.arange(n),
    ]
    return np.unique(torch.cat([part.flatten() for part in parts]).numpy())


def _duals(
    rows: np.ndarray, columns: np.ndarray, weights: np.ndarray, chosen: np.ndarray, m: int
) -> tuple[np.ndarray, np.ndarray]:
    """u and v with u_i + v_j ≤ c_ij on all pairs given, equal on those chosen, v ≤ 0, and v_j = 0 where j is free.

    v_j is the length of the shortest alternating path to column j (Bellman and Ford's algorithm): passing from column
    chosen[i] to j costs c_ij − c_i,chosen[i].
    """
    is_chosen = chosen[rows] == columns
    own = np.empty(len(chosen))
    own[rows[is_chosen]] = weights[is_chosen]
    order = np.argsort(columns, kind="stable")
    before, step = chosen[rows[order]], (weights - own[rows])[order]
    first = np.flatnonzero(np.append(True, np.diff(columns[order]) > 0))
    reached = columns[order][first]
    v = np.zeros(m)
    for _ in range(m):
        shorter = np.minimum(v[reached], np.minimum.reduceat(v[before] + step, first))
        if np.all(shorter >= v[reached] - 1e-12):
            break
        v[reached] = shorter
    return own - v[chosen], v
