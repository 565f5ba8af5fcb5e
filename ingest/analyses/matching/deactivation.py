"""The deactivation test: a feature is switched off where it is active; does its continuation fall? (Laptev et al. 2025)

One feature at one token is switched off at a time, f W_dec taken from the value at its hook, and the model runs on to
the later dictionary, whose features are read at the same token.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

from ingest.analyses.matching.activity import Activity, start_of
from ingest.analyses.matching.copies import can_copy, run_changed
from ingest.dictionaries import Dictionary
from ingest.memory import slices
from ingest.models import LanguageModel
from ingest.progress import Bar


@dataclass(frozen=True)
class Deactivation:
    """Of each pair of features, means over the tokens tested on which both are active; NaN where there are none."""

    fall: Tensor
    """Share of the target's activation that is lost where the source is off, [pairs]"""
    control: Tensor
    """The same of another feature of the target's dictionary that is active there, drawn at random, [pairs]"""
    n_active: Tensor
    """[pairs]"""


@dataclass(frozen=True)
class Trials:
    """Features to switch off, each at one token, in the order of contexts; [tests] each."""

    feature: Tensor
    context: Tensor
    position: Tensor


def choose_tests(
    a: csr_array, b: csr_array, pairs: Tensor, tokens: int, n_positions: int, generator: np.random.Generator
) -> Trials:
    """At most `tokens` tokens for each source, those first on which most of its matches are active, too.

    a, b: activations, [contexts · pos, n_features]. pairs: (source, target), [pairs, 2].
    """
    active_a, active_b = a.tocsc(), b.tocsc()
    chosen: list[tuple[int, int]] = []
    order = pairs[pairs[:, 0].argsort(stable=True)].numpy()
    sources, first = np.unique(order[:, 0], return_index=True)
    for source, targets in zip(sources, np.split(order[:, 1], first[1:]), strict=True):
        at = _column(active_a, source)
        together = np.zeros(len(at), np.int64)
        for target in targets:
            together += np.isin(at, _column(active_b, target), assume_unique=True)
        shuffled = generator.permutation(len(at))
        best = shuffled[np.argsort(-together[shuffled], kind="stable")][:tokens]
        chosen += [(int(token), int(source)) for token in at[best[together[best] > 0]]]
    found = torch.tensor(sorted(chosen), dtype=torch.long).reshape(-1, 2)
    return Trials(found[:, 1], found[:, 0] // n_positions, found[:, 0] % n_positions)


@torch.no_grad()
def deactivate(
    model: LanguageModel,
    a: Dictionary,
    b: Dictionary,
    activity: Activity,
    pairs: Tensor,
    tests: Trials,
    rows: int,
    seed: int,
    bar: Bar,
) -> Deactivation:
    """What every pair's target loses when its source is switched off in the tests, `rows` tests at a time."""
    generator = torch.Generator().manual_seed(seed)
    start, stop = start_of(a.hook), b.hook.stop
    first = start.boundary or 0
    sums = {name: torch.zeros(len(pairs), dtype=torch.float64) for name in ("fall", "control", "n")}
    pairs_of = _Pairs(pairs, a.n_features)
    bar.of(len(tests.feature))
    contexts, begins = torch.unique_consecutive(tests.context, return_counts=True)
    at_once: bool | None = None
    done = 0
    for context, n in zip(contexts.tolist(), begins.tolist(), strict=True):
        x = activity.values[start][context].to(model.device, model.dtype)
        if at_once is None:
            at_once = can_copy(model, x, first, stop)
        for s in slices(n, rows if at_once else max(1, rows // len(x))):
            some = slice(done + s.start, done + s.stop)
            u, p = tests.feature[some], tests.position[some]
            own = a.encode(activity.values[a.reads][context, p].to(model.device)).gather(1, u.to(model.device)[:, None])
            change = -own * a.W_dec[u.to(model.device)]
            out = run_changed(model, x, first, stop, a.hook, change, p.to(model.device), b.reads, at_once)
            before = b.encode(activity.values[b.reads][context, p].to(model.device)).cpu()
            fall = torch.where(before > 0, (before - b.encode(out).cpu()) / before, 0.0)
            test, pair = pairs_of(u)
            target = pairs[pair, 1]
            counts = before[test, target] > 0
            test, pair, target = test[counts], pair[counts], target[counts]
            other = _other(before, test, target, generator)
            sums["fall"].index_add_(0, pair, fall[test, target].double())
            sums["control"].index_add_(0, pair, fall[test, other[test]].double())
            sums["n"].index_add_(0, pair, torch.ones(len(pair), dtype=torch.float64))
        done += n
        bar.advance(n)
    return Deactivation(sums["fall"] / sums["n"], sums["control"] / sums["n"], sums["n"].long())


class _Pairs:
    """Finds the pairs of sources."""

    def __init__(self, pairs: Tensor, n_sources: int) -> None:
        self._order = pairs[:, 0].argsort(stable=True)
        self._count = torch.bincount(pairs[:, 0], minlength=n_sources)
        self._start = self._count.cumsum(0) - self._count

    def __call__(self, sources: Tensor) -> tuple[Tensor, Tensor]:
        """(number in `sources`, number of the pair), for every pair of each."""
        count = self._count[sources]
        number = torch.arange(len(sources)).repeat_interleave(count)
        within = torch.arange(len(number)) - (count.cumsum(0) - count)[number]
        return number, self._order[self._start[sources][number] + within]


def _other(before: Tensor, test: Tensor, target: Tensor, generator: torch.Generator) -> Tensor:
    """For each test a feature that is active at its token and no match of what is off; any where there is none."""
    chance = torch.rand(before.shape, generator=generator) * (before > 0)
    chance[test, target] = 0
    return chance.argmax(1)


def _column(matrix: csr_array, column: int) -> np.ndarray:
    """Numbers of the rows that a column of a CSC matrix has, ascending."""
    found: np.ndarray = np.sort(matrix.indices[matrix.indptr[column] : matrix.indptr[column + 1]])
    return found
