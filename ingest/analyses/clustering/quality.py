"""How good a clustering is. Labels are −1 for what a clustering leaves out."""

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.metrics import adjusted_rand_score, silhouette_samples
from sknetwork.clustering import get_modularity

Array = np.ndarray[Any, Any]


def silhouettes(directions: Array, labels: Array) -> Array:
    """The silhouette of each row by cosine distance (Rousseeuw 1987), [n]; NaN for one left out.

    All are NaN where there are no two clusters, or none of two members.
    """
    found = np.full(len(labels), np.nan)
    inside = labels >= 0
    if 2 <= len(set(labels[inside].tolist())) < inside.sum():
        found[inside] = silhouette_samples(directions[inside], labels[inside], metric="cosine")
    return found


def modularity(graph: Array, labels: Array) -> float:
    """Newman's modularity of a weighted graph; what is left out counts as clusters of one. NaN without an edge.

    graph: [n, n], symmetric.
    """
    if not graph.any():
        return float("nan")
    return float(get_modularity(sparse.csr_matrix(graph), alone(labels)))


def agreement(one: Array, other: Array) -> float:
    """The adjusted Rand index of two clusterings of the same items; what is left out counts as clusters of one."""
    return float(adjusted_rand_score(alone(one), alone(other)))


def alone(labels: Array) -> Array:
    """What is left out, each in a cluster of its own: a clustering gains nothing by leaving out what is hard."""
    out = labels < 0
    labels = labels.copy()
    labels[out] = labels.max(initial=-1) + 1 + np.arange(out.sum())
    return labels
