"""Ways of clustering a view into a given number of clusters.

Each returns a label for every feature of the view, −1 for one that it leaves out. Two of them take no number of
clusters: of those, the parameter is searched that gives as many, or else as near to that as they come.
"""

import ctypes
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.cluster import HDBSCAN, KMeans, SpectralClustering
from sklearn.decomposition import PCA
from sknetwork.clustering import Leiden, get_modularity

from ingest.analyses.clustering.views import View
from ingest.recipe import ClusteringMethod

Array = np.ndarray[Any, Any]

STARTS = 40  # of k-means and of Leiden: the best of them counts
_FEW_STARTS = 4  # of Leiden while a resolution is searched
_HALVINGS = 20  # of the range of resolutions, from 2^-10 to 2^10


@dataclass(frozen=True)
class Labels:
    """labels: [n]; −1 for what is left out. chosen: the parameter that was searched, NaN where none was."""

    labels: Array
    chosen: float = float("nan")


def cluster(method: ClusteringMethod, view: View, k: int, seed: int, components: int) -> Labels:
    """The features of a view in k clusters. With no more features than that, each is a cluster of its own."""
    n = len(view.features)
    if n <= k:
        return Labels(np.arange(n))
    return _METHODS[method](view, k, seed, components)


def k_means(view: View, k: int, seed: int, components: int) -> Labels:
    """k-means on the first principal components of the directions: the baseline."""
    size = min(components, *view.directions.shape)
    scores = PCA(size, svd_solver="full").fit_transform(view.directions)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fewer distinct points than clusters: then there are fewer clusters
        return Labels(_numbered(KMeans(k, n_init=STARTS, random_state=seed).fit_predict(scores)))


def spectral(view: View, k: int, seed: int, components: int) -> Labels:
    """Normalised cuts of the graph, with a little weight between any two features: of the mean degree in all.

    So the graph is connected, and small loose parts are no clusters (Amini et al. 2013, regularised spectral
    clustering).
    """
    n = len(view.graph)
    affinity = view.graph + view.graph.sum() / n**2
    found = SpectralClustering(k, affinity="precomputed", assign_labels="cluster_qr", random_state=seed)
    return Labels(_numbered(found.fit_predict(affinity)))


def hdbscan(view: View, k: int, seed: int, components: int) -> Labels:
    """Dense regions by cosine distance, whatever their density; what lies in none is left out as noise.

    Of the least sizes of a cluster, that is taken which gives k clusters or as near as can be, and of those the one
    that leaves out the fewest.
    """
    distance = np.clip(1 - view.directions @ view.directions.T, 0, None).round(9)
    np.fill_diagonal(distance, 0)
    best = Labels(np.full(len(distance), -1), 2.0)
    for least in range(2, max(3, len(distance) // 2 + 1)):
        found = HDBSCAN(min_cluster_size=least, min_samples=2, metric="precomputed", copy=True).fit_predict(distance)
        if _misses(found, k) < _misses(best.labels, k):
            best = Labels(_numbered(found), float(least))
    return best


def leiden(view: View, k: int, seed: int, components: int) -> Labels:
    """Communities of the graph by modularity (Traag et al. 2019), at the resolution that gives k of them."""
    graph = sparse.csr_matrix(view.graph)
    low, high = -10.0, 10.0
    near: dict[float, int] = {}
    for _ in range(_HALVINGS):
        exponent = (low + high) / 2
        near[exponent] = len(set(communities(graph, 2.0**exponent, seed, _FEW_STARTS).tolist())) - k
        if near[exponent] == 0:
            break
        low, high = (exponent, high) if near[exponent] < 0 else (low, exponent)
    resolution = 2.0 ** min(near, key=lambda exponent: (abs(near[exponent]), exponent))
    return Labels(communities(graph, resolution, seed, STARTS, k), resolution)


def communities(graph: sparse.csr_matrix, resolution: float, seed: int, starts: int, k: int | None = None) -> Array:
    """Leiden's communities: of several starts, features in another order each, the one of largest modularity.

    k: only those count that come nearest to so many communities.
    """
    found: list[tuple[int, float, Array]] = []
    for start in range(seed, seed + starts):
        # scikit-network draws from C's generator too, which its random_state does not seed.
        ctypes.CDLL(None).srand(start % 2**31)
        labels = Leiden(resolution=resolution, shuffle_nodes=True, random_state=start % 2**32).fit_predict(graph)
        misses = 0 if k is None else abs(int(labels.max()) + 1 - k)
        found.append((misses, -round(float(get_modularity(graph, labels, resolution=resolution)), 9), labels))
    return _numbered(min(found, key=lambda one: one[:2])[2])


_METHODS: dict[ClusteringMethod, Callable[[View, int, int, int], Labels]] = {
    "k-means": k_means,
    "spectral": spectral,
    "hdbscan": hdbscan,
    "leiden": leiden,
}


def _misses(labels: Array, k: int) -> tuple[int, int]:
    return abs(len(set(labels.tolist()) - {-1}) - k), int((labels < 0).sum())


def _numbered(labels: Array) -> Array:
    """The same clusters, numbered 0 … from the largest; of equal ones the one of the earliest feature first."""
    clusters = sorted(set(labels.tolist()) - {-1}, key=lambda c: (-int((labels == c).sum()), labels.tolist().index(c)))
    number = {cluster: n for n, cluster in enumerate(clusters)} | {-1: -1}
    return np.array([number[label] for label in labels.tolist()], dtype=np.int64)
