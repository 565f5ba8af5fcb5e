"""Everything that is found out about one pair of dictionaries."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

from ingest.analyses.matching.activity import Activity
from ingest.analyses.matching.deactivation import Deactivation, choose_tests, deactivate
from ingest.analyses.matching.matches import Matches, Method
from ingest.analyses.matching.methods import correlation, cosines, feature_flow, kinds, sae_match
from ingest.analyses.matching.quality import explained_variance, own_explained_variance
from ingest.analyses.registry import Analysing
from ingest.dictionaries import Dictionary
from ingest.memory import free_memory, rows_that_fit
from ingest.progress import Bar

_CODED = 4  # contexts that are encoded at once


@dataclass(frozen=True)
class Pair:
    """A dictionary and a later one."""

    a: Dictionary
    b: Dictionary


@dataclass(frozen=True)
class Found:
    """What methods say, and what was measured on it."""

    matches: dict[Method, Matches]
    kinds: list[str]
    """How each of b's features came about."""
    tested: Tensor
    """(source, target) of every match by any method, [pairs, 2]"""
    deactivation: Deactivation | None
    explained: dict[str, float | None]
    """Explained variance by method; `own` and `random` beside them."""


def match_pair(given: Analysing, pair: Pair, activity: Activity | None, number: int, bar: Bar) -> Found:
    """number: of the pair, for the stages that are kept."""
    said, work = given.recipe.matching, given.work
    assert said is not None
    codes: list[csr_array] = []

    def code() -> list[csr_array]:
        if activity is not None and not codes:
            codes.extend(activity.codes(one, _CODED) for one in (pair.a, pair.b))
        return codes

    matches: dict[Method, Matches] = {}
    for method in said.methods:
        kept = work.tensors(f"{method}-{number}", partial(_match, method, pair, code, activity, said.least_active))
        matches[method] = Matches.of(kept, "m")
    every = [torch.stack([one.source, one.target], 1) for one in matches.values()]
    tested = torch.unique(torch.cat(every), dim=0)
    deactivation = None
    explained: dict[str, float | None] = {}
    if activity is not None:
        explained = _explained(pair, code(), activity, matches, given.recipe.seed)
        if said.tokens:
            kept = work.tensors(
                f"deactivation-{number}", lambda: vars(_deactivate(given, pair, code(), activity, tested, bar))
            )
            deactivation = Deactivation(**kept)
    return Found(matches, _kinds(given, pair, said.similar), tested, deactivation, explained)


def _match(
    method: Method, pair: Pair, code: Callable[[], list[csr_array]], activity: Activity | None, least_active: int
) -> dict[str, Tensor]:
    if method == "sae_match":
        return sae_match(pair.a, pair.b).tensors("m")
    if method == "feature_flow":
        return feature_flow(pair.a, pair.b).tensors("m")
    assert activity is not None
    counting = activity.counting()
    a, b = (one[counting] for one in code())
    return correlation(a, b, least_active).tensors("m")


def _kinds(given: Analysing, pair: Pair, similar: float) -> list[str]:
    """Of b's features, by a's and by those of modules between; empty where a is no earlier state of b's stream."""
    a, b = pair.a.hook, pair.b.hook
    if a.site != "resid" or b.site != "resid":
        return []
    between = [d for hook, d in given.dictionaries.items() if hook.site != "resid" and a.depth < hook.depth < b.depth]
    module = torch.cat([cosines(one, pair.b) for one in between]).amax(0) if between else None
    return kinds(cosines(pair.a, pair.b).amax(0), module, similar)


def _explained(
    pair: Pair, codes: list[csr_array], activity: Activity, matches: dict[Method, Matches], seed: int
) -> dict[str, float | None]:
    """On every second context, where matches are fitted on the others. Of one context alone nothing can be said."""
    counting = activity.counting()
    even = counting // activity.counts.shape[1] % 2 == 0
    if not even.any() or even.all():
        return {}
    a, b = (one[counting[~even]] for one in codes)
    fitted = (codes[0][counting[even]], codes[1][counting[even]])
    x = activity.values[pair.b.hook].flatten(0, 1)[torch.from_numpy(counting[~even])].numpy()
    drawn = torch.from_numpy(np.random.default_rng(seed).permutation(pair.b.n_features)) % pair.a.n_features
    sources = {method: found.best_source(pair.b.n_features) for method, found in matches.items()} | {"random": drawn}
    found = {name: explained_variance(pair.b, a, x, fitted, source) for name, source in sources.items()}
    return found | {"own": own_explained_variance(pair.b, b, x)}


def _deactivate(
    given: Analysing, pair: Pair, codes: list[csr_array], activity: Activity, tested: Tensor, bar: Bar
) -> Deactivation:
    said, seed, n_positions = given.recipe.matching, given.recipe.seed, activity.counts.shape[1]
    assert said is not None
    generator = np.random.default_rng(seed)
    tests = choose_tests(codes[0], codes[1], tested, said.tokens, n_positions, generator)
    width = max(pair.a.n_features, pair.b.n_features)
    limit = (given.memory or free_memory(given.model.device) // 2) // 2
    # A copy costs no more than a context of its own positions would.
    rows = rows_that_fit(limit, given.model, n_positions, given.model.n_layers, width, gradient=False, most=2)
    return deactivate(given.model, pair.a, pair.b, activity, tested, tests, max(1, rows * n_positions // 2), seed, bar)
