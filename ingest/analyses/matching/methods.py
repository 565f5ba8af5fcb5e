"""Three ways to say which feature of a later dictionary continues a feature: by weights, by direction, by activity.

Each takes two dictionaries of any widths and gives `Matches`. Knows nothing of the model.
"""

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

from ingest.analyses.matching.assignment import assign
from ingest.analyses.matching.folding import fold
from ingest.analyses.matching.matches import Matches, best_of_both
from ingest.dictionaries import Dictionary
from ingest.hooks import Hook

KINDS = ("translated", "processed", "newborn", "unexplained")


@torch.no_grad()
def distances(a: Dictionary, b: Dictionary) -> tuple[Tensor, Tensor]:
    """Squared distances of folded encoder, decoder and bias, summed (Balagansky et al. 2024), [n_a, n_b].

    Of the decoder alone where the two read different spaces. And what distances are for features that have nothing in
    common: the sum of both squared norms.
    """
    p, q = (folded.parameters if read_alike(a, b) else folded.decoder for folded in fold([a, b]))
    apart = p.square().sum(1)[:, None] + q.square().sum(1)
    return (apart - 2 * p @ q.T).clamp(min=0), apart


def read_alike(a: Dictionary, b: Dictionary) -> bool:
    """Whether encoders can be compared: both read what is written to the stream, or both what an MLP reads of it."""
    return _space(a.hook, a.reads) == _space(b.hook, b.reads)


def _space(hook: Hook, reads: Hook) -> str:
    if reads == hook:
        return "stream"
    return "normalised" if reads.name.endswith(".hook_normalized") else "normalised and weighted"


def sae_match(a: Dictionary, b: Dictionary) -> Matches:
    """SAE Match (Balagansky et al. 2024): the one-to-one assignment of least total distance.

    Score: 1 − distance / (sum of both squared norms): 1 for equal features, 0 for those with nothing in common.
    """
    distance, apart = distances(a, b)
    found = assign(distance)
    at = (found.rows, found.columns)
    score = 1 - distance.cpu()[at] / apart.cpu()[at].clamp(min=1e-12)
    first = torch.ones_like(found.rows)
    return Matches(found.rows, found.columns, score, first, first.clone())


@torch.no_grad()
def cosines(a: Dictionary, b: Dictionary) -> Tensor:
    """Cosines of decoder rows, [n_a, n_b]."""
    p, q = (one.W_dec / one.W_dec.norm(dim=1, keepdim=True).clamp(min=1e-12) for one in (a, b))
    product: Tensor = p @ q.T
    return product


def feature_flow(a: Dictionary, b: Dictionary) -> Matches:
    """Feature flow (Laptev et al. 2025): the feature of most similar decoder row, many to one. Score: the cosine."""
    return best_of_both(cosines(a, b))


def kinds(residual: Tensor, module: Tensor | None, similar: float) -> list[str]:
    """How each feature of a later dictionary came about (Laptev et al. 2025), of `KINDS`.

    residual: its best cosine with features of the earlier residual stream, [n]. module: with those that attention and
    MLPs between wrote. Both from `similar` on: processed; the first only: translated; the second only: newborn;
    neither: unexplained. Without dictionaries of modules the rest of the feature's direction stands for what they
    wrote, whose cosine is √(1 − residual²).
    """
    if module is None:
        module = (1 - residual.square()).clamp(min=0).sqrt()
    names = {(True, False): 0, (True, True): 1, (False, True): 2, (False, False): 3}
    flags = zip((residual >= similar).tolist(), (module >= similar).tolist(), strict=True)
    return [KINDS[names[one]] for one in flags]


def correlations(a: csr_array, b: csr_array, least_active: int = 1) -> Tensor:
    """Pearson correlations of activations over the same tokens, [n_a, n_b]. a, b: [tokens, n_a] and [tokens, n_b].

    −inf for features that are active on fewer than `least_active` tokens, or that never vary.
    """
    a, b, n = a.astype(np.float64), b.astype(np.float64), a.shape[0]
    mean_a, mean_b = (np.asarray(one.sum(axis=0)).ravel() / n for one in (a, b))
    covariance = (a.T @ b).toarray() / n - np.outer(mean_a, mean_b)
    spreads = []
    for one, mean in ((a, mean_a), (b, mean_b)):
        variance = np.asarray(one.multiply(one).sum(axis=0)).ravel() / n - mean**2
        usable = (one.count_nonzero(axis=0) >= least_active) & (variance > 1e-12 * (variance + mean**2))
        spreads.append(np.sqrt(np.where(usable, variance, np.nan)))
    covariance /= spreads[0][:, None]
    covariance /= spreads[1]
    return torch.from_numpy(np.nan_to_num(covariance.astype(np.float32), copy=False, nan=-np.inf))


def correlation(a: csr_array, b: csr_array, least_active: int) -> Matches:
    """Each feature's most correlated partner, many to one. Score: the correlation."""
    return best_of_both(correlations(a, b, least_active))
