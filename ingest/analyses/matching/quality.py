"""How good matches are, by what they can stand for and by how far methods agree. Knows nothing of the model."""

import numpy as np
from scipy.sparse import csr_array
from torch import Tensor

from ingest.analyses.matching.folding import fold
from ingest.dictionaries import Dictionary


def explained_variance(a: Dictionary, b: Dictionary, codes: csr_array, x: np.ndarray, best: Tensor) -> float | None:
    """Share of the variance at b's hook that is explained where a's features stand for their matches.

    Each source feature is read in units of its scale, and written by its match in units of its own (Balagansky et al.
    2024, eq. 8). codes: a's activations, [tokens, n_a]. x: values at b's hook on the same tokens, [tokens, d].
    best: the match of each source, −1 for none. None where x does not vary.
    """
    of_a, of_b = fold([a, b])
    sources = (best >= 0).nonzero().flatten()
    factor = (of_b.scale.cpu()[best[sources]] / of_a.scale.cpu()[sources]).numpy()
    where = (sources.numpy(), best[sources].numpy())
    moved = codes @ csr_array((factor, where), shape=(a.n_features, b.n_features))
    return own_explained_variance(b, moved, x)


def own_explained_variance(dictionary: Dictionary, codes: csr_array, x: np.ndarray) -> float | None:
    """The same where the dictionary's own features stand for x. codes: [tokens, n_features]."""
    rest = x - codes @ dictionary.W_dec.cpu().numpy() - dictionary.b_dec.cpu().numpy()
    total = float(np.square(x - x.mean(axis=0), dtype=np.float64).sum())
    return 1 - float(np.square(rest, dtype=np.float64).sum()) / total if total else None


def agreement(best: Tensor, other: Tensor) -> float | None:
    """Share of the sources with a match in both that have the same one. None where there are none."""
    both = (best >= 0) & (other >= 0)
    return float((best == other)[both].float().mean()) if bool(both.any()) else None
