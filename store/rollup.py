"""The FEEDS roll-up: what ATTRIBUTES_TO says between features, over circuits.

Weights are rounded to fixed point before anything is summed, so that sums of integers are exact and the result is
the same for every order of loads and deletes. Knows nothing of bundles or databases: arrays in, Arrow tables out.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from store.schema import TABLES

FIXED_POINT = 2.0**32
LARGEST_WEIGHT = 2**20
SUMS = ("n_circuits", "n_positive", "weight_sum", "abs_weight_sum")
"""Columns that add up; the others are made from them by `finished`."""

_Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Sums:
    """Per pair of features (numbers of the caller's choice), what one or more circuits add to FEEDS."""

    source: _Array
    target: _Array
    columns: dict[str, _Array]


def roll_up(circuit: _Array, source: _Array, target: _Array, weight: _Array) -> Sums:
    """Per edge: the circuit, the two features, the weight. In each circuit the weights of a pair are summed first."""
    fixed = np.rint(weight * FIXED_POINT).astype(np.int64)
    width = int(max(source.max(initial=0), target.max(initial=0))) + 1
    pair = source.astype(np.int64) * width + target
    order = np.lexsort((circuit, pair))
    pair, circuit = pair[order], circuit[order]
    first = np.flatnonzero(np.append(True, (pair[1:] != pair[:-1]) | (circuit[1:] != circuit[:-1]))[: len(pair)])
    total = _sums(fixed[order], first)
    pair = pair[first]
    first = np.flatnonzero(np.append(True, pair[1:] != pair[:-1])[: len(pair)])
    columns = {
        "n_circuits": _sums(np.ones(len(pair), np.int64), first),
        "n_positive": _sums((total > 0).astype(np.int64), first),
        "weight_sum": _sums(total, first),
        "abs_weight_sum": _sums(np.abs(total), first),
    }
    return Sums(pair[first] // width, pair[first] % width, columns)


def finished(source: pa.Array, target: pa.Array, sums: dict[str, _Array]) -> pa.Table:
    """A table of FEEDS: the sums, and the means made from them."""
    n = sums["n_circuits"]
    columns = {
        "source": source,
        "target": target,
        "mean_weight": sums["weight_sum"] / FIXED_POINT / n,
        "mean_abs_weight": sums["abs_weight_sum"] / FIXED_POINT / n,
        "sign_agreement": np.maximum(sums["n_positive"], n - sums["n_positive"]) / n,
        **sums,
    }
    return pa.table({column.name: columns[column.name] for column in TABLES["FEEDS"].columns})


def _sums(values: _Array, first: _Array) -> _Array:
    return np.add.reduceat(values, first) if len(first) else np.empty(0, np.int64)
