"""When a few features are active on a corpus, token by token, and how alike they are in that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from ingest.corpus import Corpus, hook_values
from ingest.dictionaries import Dictionary
from ingest.hooks import Hook
from ingest.memory import slices
from ingest.models import LanguageModel
from ingest.progress import Bar
from ingest.work import Work

Array = np.ndarray[Any, Any]

_PART = 32  # contexts that are read again, at most, after a kill


@dataclass(frozen=True)
class Activity:
    """Activations of features on a corpus."""

    values: sparse.csr_array
    """log(1 + f), [features, tokens]: a few tokens, that a model uses as it uses its start token, would else be all
    that a correlation sees."""
    contexts: Array
    """The context of each token, [tokens]."""

    def correlation(self, features: Array, times: Array) -> Array:
        """Pearson's r of the activations of each two features over tokens, [n, n]; 0 for one that never changes.

        features: their numbers, [n]. times: how often each context counts, [contexts].
        """
        count = times[self.contexts]
        chosen, total = self.values[features], count.sum()
        mean = chosen @ count / total
        covariance = _products(chosen, count) / total - np.outer(mean, mean)
        deviation = np.sqrt(np.maximum(covariance.diagonal(), 0))
        deviation[deviation <= 1e-9] = np.inf
        return np.asarray(covariance / np.outer(deviation, deviation))

    def coactivation(self, features: Array, times: Array) -> Array:
        """Tokens on which both of two features are active, as a share of those on which one is (Jaccard), [n, n].

        The diagonal is 0. Parameters as of `correlation`.
        """
        active = self.values[features].sign()
        both = _products(active, times[self.contexts])
        one = both.diagonal()
        either = one[:, None] + one[None, :] - both
        shares = np.divide(both, either, out=np.zeros_like(both), where=either > 0)
        np.fill_diagonal(shares, 0)
        return np.asarray(shares)


def _products(rows: sparse.csr_array, count: Array) -> Array:
    return np.asarray((rows @ sparse.diags_array(count.astype(float)) @ rows.T).toarray())


def activity(
    model: LanguageModel,
    dictionaries: Mapping[Hook, Dictionary],
    features: Sequence[tuple[Hook, int]],
    corpus: Corpus,
    rows: int,
    work: Work,
    bar: Bar,
) -> Activity:
    """The activations of `features` on the corpus, start tokens left out. rows: contexts of a batch."""
    n_contexts, width = corpus.tokens.shape
    bar.of(n_contexts)
    feature, token, value = [], [], []
    for s in slices(n_contexts, _PART):
        part = work.tensors(
            f"activations-{s.start}", partial(_part, model, dictionaries, features, corpus.tokens[s], rows)
        )
        feature.append(part["feature"])
        token.append(part["token"] + s.start * (width - 1))
        value.append(part["value"])
        bar.advance(s.stop - s.start)
    at = (torch.cat(feature).numpy(), torch.cat(token).numpy())
    values = sparse.csr_array(
        (torch.cat(value).double().log1p().numpy(), at), shape=(len(features), n_contexts * (width - 1))
    )
    return Activity(values, np.repeat(np.arange(n_contexts), width - 1))


@torch.no_grad()
def _part(
    model: LanguageModel,
    dictionaries: Mapping[Hook, Dictionary],
    features: Sequence[tuple[Hook, int]],
    tokens: Tensor,
    rows: int,
) -> dict[str, Tensor]:
    wanted: dict[Hook, list[int]] = {}
    for number, (hook, _) in enumerate(features):
        wanted.setdefault(hook, []).append(number)
    found: dict[str, list[Tensor]] = {"feature": [], "token": [], "value": []}
    for s, values in hook_values(model, tokens, [dictionaries[hook].reads for hook in wanted], rows):
        for hook, numbers in wanted.items():
            x = values[dictionaries[hook].reads]
            f = dictionaries[hook].encode_only(x, [features[n][1] for n in numbers]).flatten(0, 1).cpu()
            token, column = f.nonzero(as_tuple=True)
            found["feature"].append(torch.tensor(numbers)[column])
            found["token"].append(token + s.start * (tokens.shape[1] - 1))
            found["value"].append(f[token, column])
    return {name: torch.cat(parts) for name, parts in found.items()}
