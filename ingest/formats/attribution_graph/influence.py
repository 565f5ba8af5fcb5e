"""What `influence` says in an attribution graph, and the share that CircuitNode has of it.

A file says it as a running sum: with the nodes' influences s₁ ≥ s₂ ≥ … on the logits (circuit-tracer's
`compute_node_influence`: over all paths, absolute weights into each node made to sum to one), the i-th node has
cᵢ = (s₁ + … + sᵢ) / Σs (its `prune_graph`, which keeps the nodes up to a threshold of c, and all tokens). So the
smallest number is that of the strongest node. Cross-layer and per-layer transcoders, and what Language-Model-SAEs and
EleutherAI's attribute write, are alike in this; a saved sub-graph adds pins and supernodes, and leaves the numbers.
Logits mostly have none.
"""

from collections.abc import Sequence
from itertools import groupby
from math import fsum

_UNIT = 2**40
"""Shares are multiples of 2^-40, so that their sums are exact, in whatever order."""
_MOST = 1 + 1e-5
"""Sums of many 32-bit numbers end a little above 1."""


def is_running(influences: Sequence[float | None]) -> bool:
    """Whether they can be running sums of shares: above 0 and up to 1, or all 0.

    Others are kept as they are. Shares themselves can't be told from running sums, and are taken for these.
    """
    known = [value for value in influences if value is not None]
    return not any(known) or all(0 < value <= _MOST for value in known)


def shares(influences: Sequence[float | None]) -> list[float | None]:
    """sᵢ / Σs = cᵢ − cᵢ₋₁, in the order of c, of influences that are running.

    Never more than the share before it: what lies between two nodes of a file is the sum of those that were pruned
    there, too. Nodes of equal c have equal parts of the step that leads to them.
    """
    made: list[float | None] = list(influences)
    known = [(value, number) for number, value in enumerate(influences) if value is not None]
    before, most = 0, _UNIT
    for value, tied in groupby(sorted(known), key=lambda one: one[0]):
        numbers = [number for _, number in tied]
        here = round(min(value, 1.0) * _UNIT)
        share = min((here - before) // len(numbers), most)
        for number in numbers:
            made[number] = share / _UNIT
        before, most = here, share or most
    return made


def running_sums(shares: Sequence[float | None]) -> list[float | None]:
    """cᵢ of shares: those that sum to more than 1, as where they count all paths, are divided by their sum.

    `shares` of it are the shares, if it made them. Nodes without any share stand a quarter of 2^-40 above the last that
    has one, so as not to take a part of it. Numbers below 0 are no shares: all are kept as they are.
    """
    known = {number: share for number, share in enumerate(shares) if share is not None}
    made: list[float | None] = list(shares)
    if any(share < 0 for share in known.values()):
        return made
    total = max(fsum(known.values()), 1.0)
    units = {number: int(share / total * _UNIT) for number, share in known.items()}
    apart = 0.25 if 0 in units.values() else 0.0
    running = 0
    for number in sorted(units, key=lambda number: -units[number]):
        running += units[number]
        made[number] = (running - (apart if units[number] else 0.0)) / _UNIT
    return made
