"""How good matches are, by what they can stand for and by how far methods agree. Knows nothing of the model."""

import numpy as np
from scipy.sparse import csr_array
from torch import Tensor

from ingest.dictionaries import Dictionary


def explained_variance(
    b: Dictionary, a: csr_array, x: np.ndarray, fitted: tuple[csr_array, csr_array], source: Tensor
) -> float | None:
    """Share of the variance at b's hook that is explained where a source stands for each of b's features.

    Each is read off the one source that matches it best, f_d ≈ s f_u + c, with s and c by least squares on other
    tokens: so neither scales nor how many sources share a target tell one method from another. What has no source
    stands at its mean.

    a: the sources' activations, [tokens, n_a]. x: values at b's hook on the same tokens, [tokens, d]. fitted: a's and
    b's activations on the other tokens. source: of each of b's features, -1 for none. None where x does not vary.
    """
    targets = (source >= 0).nonzero().flatten().numpy()
    sources = source.numpy()[targets]
    u, d = (one.astype(np.float64)[:, at] for one, at in zip(fitted, (sources, targets), strict=True))
    mean_u, mean_d = (np.asarray(one.mean(axis=0)).ravel() for one in (u, d))
    covariance = np.asarray(u.multiply(d).mean(axis=0)).ravel() - mean_u * mean_d
    variance = np.asarray(u.multiply(u).mean(axis=0)).ravel() - mean_u**2
    varies = variance > 1e-12 * mean_u**2
    slope = np.where(varies, covariance, 0.0) / np.where(varies, variance, 1.0)
    constant = np.asarray(fitted[1].mean(axis=0)).ravel()
    constant[targets] = mean_d - slope * mean_u
    decoder = b.W_dec.cpu().numpy()
    written = csr_array((slope.astype(np.float32), (sources, targets)), shape=(a.shape[1], b.n_features)) @ decoder
    return _explained(x, a @ written + constant.astype(np.float32) @ decoder + b.b_dec.cpu().numpy())


def own_explained_variance(dictionary: Dictionary, codes: csr_array, x: np.ndarray) -> float | None:
    """The same where the dictionary's own features stand for x. codes: [tokens, n_features]."""
    return _explained(x, codes @ dictionary.W_dec.cpu().numpy() + dictionary.b_dec.cpu().numpy())


def _explained(x: np.ndarray, instead: np.ndarray) -> float | None:
    total = float(np.square(x - x.mean(axis=0), dtype=np.float64).sum()) if len(x) else 0.0
    return 1 - float(np.square(x - instead, dtype=np.float64).sum()) / total if total else None


def agreement(best: Tensor, other: Tensor) -> float | None:
    """Share of the sources with a match in both that have the same one. None where there are none."""
    both = (best >= 0) & (other >= 0)
    return float((best == other)[both].float().mean()) if bool(both.any()) else None
