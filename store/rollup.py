"""The roll-ups: FEEDS, what ATTRIBUTES_TO says between features, over circuits; OCCURS_IN, where features stand.

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
SUMS = (
    "n_circuits", "n_positive", "weight_sum", "abs_weight_sum",
    "n_prompts", "n_positive_prompts", "prompt_weight_sum", "prompt_abs_weight_sum",
)  # fmt: skip
"""Columns that add up; the others are made from them by `finished`."""

_Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Sums:
    """Per pair of features (numbers of the caller's choice), what one or more circuits add to FEEDS."""

    source: _Array
    target: _Array
    columns: dict[str, _Array]


def roll_up(circuit: _Array, source: _Array, target: _Array, weight: _Array, prompt: _Array) -> Sums:
    """Per edge: the circuit, the two features, the weight, and whether the circuit is of a single prompt.

    In each circuit the weights of a pair are summed first.
    """
    fixed = np.rint(weight * FIXED_POINT).astype(np.int64)
    width = int(max(source.max(initial=0), target.max(initial=0))) + 1
    pair = source.astype(np.int64) * width + target
    order = np.lexsort((circuit, pair))
    pair, circuit, prompt = pair[order], circuit[order], prompt[order]
    first = np.flatnonzero(np.append(True, (pair[1:] != pair[:-1]) | (circuit[1:] != circuit[:-1]))[: len(pair)])
    total = _sums(fixed[order], first)
    pair, prompt = pair[first], prompt[first].astype(np.int64)
    first = np.flatnonzero(np.append(True, pair[1:] != pair[:-1])[: len(pair)])
    added = (np.ones(len(pair), np.int64), (total > 0).astype(np.int64), total, np.abs(total))
    columns = dict(zip(SUMS, [_sums(a, first) for a in (*added, *(a * prompt for a in added))], strict=True))
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


def occurrences(circuit: _Array, feature: _Array, effect: _Array) -> tuple[_Array, _Array, _Array, pa.Array]:
    """Per circuit node that is a feature: its circuit, the feature, its effect or NaN. Returns the distinct pairs of
    circuit and feature, the nodes of each, and the sum of their effects, null where none is known: smallest first, so
    that it depends on no order.
    """
    known = ~np.isnan(effect)
    effect = np.where(known, effect, 0.0)
    order = np.lexsort((effect, feature, circuit))
    circuit, feature, effect, known = circuit[order], feature[order], effect[order], known[order]
    changed = (circuit[1:] != circuit[:-1]) | (feature[1:] != feature[:-1])
    first = np.flatnonzero(np.append(True, changed)[: len(circuit)])
    total = np.add.reduceat(effect, first) if len(first) else effect
    unknown = _sums(known.astype(np.int64), first) == 0
    n_nodes = _sums(np.ones(len(circuit), np.int64), first)
    return circuit[first], feature[first], n_nodes, pa.array(total, mask=unknown)


def _sums(values: _Array, first: _Array) -> _Array:
    return np.add.reduceat(values, first) if len(first) else np.empty(0, np.int64)
