"""What of features is clustered, in the two forms that clusterings take: directions in a space, and a graph.

Each basis gives both, so that every method can be had on every basis: profiles become a graph of nearest neighbours,
a graph's rows become directions. A view is made anew for every resampling.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ingest.analyses.clustering.activity import Activity
from ingest.analyses.clustering.stored import Stored
from ingest.recipe import Basis

Array = np.ndarray[Any, Any]

_DIGITS = 9  # products of matrices differ in their last bits from run to run: those must decide nothing


@dataclass(frozen=True)
class Sample:
    """Some of what there is. features: their numbers, [n]. circuits, contexts: how often each counts."""

    features: Array
    circuits: Array
    contexts: Array


def whole(n_features: int, n_circuits: int, n_contexts: int) -> Sample:
    return Sample(np.arange(n_features), np.ones(n_circuits, np.int64), np.ones(n_contexts, np.int64))


def resampled(full: Sample, share: float, rng: np.random.Generator) -> Sample:
    """A share of the features, each once; circuits and contexts drawn with replacement (bootstrap)."""
    n = len(full.features)
    features = np.sort(rng.choice(full.features, max(2, round(share * n)), replace=False))
    drawn = (np.bincount(rng.integers(0, max(k, 1), k), minlength=k) for k in map(len, (full.circuits, full.contexts)))
    return Sample(features, *drawn)


@dataclass(frozen=True)
class View:
    """A basis in both forms. Features with nothing to cluster them by are not in it."""

    features: Array
    """Which of the sample's features, by place, [n]."""
    directions: Array
    """[n, d], rows of unit length."""
    graph: Array
    """Weights ≥ 0, symmetric, the diagonal 0, [n, n]."""


@dataclass(frozen=True)
class Material:
    """All that views are made of."""

    stored: Stored
    decoder: Array
    """Decoder rows, [features, d_model]."""
    activity: Activity | None
    """None where no basis asks for a corpus."""
    neighbours: int

    def view(self, basis: Basis, sample: Sample) -> View:
        """One basis, on a sample."""
        return _VIEWS[basis](self, sample)

    def of_decoder(self, sample: Sample) -> View:
        """Directions that features write in: layers share the residual stream, so their cosines compare."""
        return of_directions(self.decoder[sample.features], self.neighbours)

    def of_attributions(self, sample: Sample) -> View:
        """Effects over circuits."""
        effects = self.stored.effects[sample.features] * np.sqrt(sample.circuits)
        return of_directions(effects, self.neighbours)

    def of_activations(self, sample: Sample) -> View:
        """Activations over tokens: directions whose cosines are the correlations."""
        assert self.activity is not None
        r = self.activity.correlation(sample.features, sample.contexts)
        values, vectors = np.linalg.eigh(r)
        return of_directions(vectors * np.sqrt(np.maximum(values, 0)), self.neighbours, present=r.diagonal() > 0.5)

    def of_attribution_graph(self, sample: Sample) -> View:
        """What acts on what. Of square roots: weights are heavy-tailed, and a few strong edges would decide all."""
        graph = np.sqrt(self.stored.attribution_graph(sample.circuits))
        return of_graph(graph[np.ix_(sample.features, sample.features)])

    def of_coactivation_graph(self, sample: Sample) -> View:
        """What is active together."""
        assert self.activity is not None
        return of_graph(self.activity.coactivation(sample.features, sample.contexts))


_VIEWS: dict[Basis, Callable[[Material, Sample], View]] = {
    "decoder": Material.of_decoder,
    "activations": Material.of_activations,
    "attributions": Material.of_attributions,
    "attribution-graph": Material.of_attribution_graph,
    "coactivation-graph": Material.of_coactivation_graph,
}


def of_directions(rows: Array, neighbours: int, present: Array | None = None) -> View:
    """A view of directions; its graph joins a feature with its nearest neighbours, by cosine where that is positive."""
    length = np.linalg.norm(rows, axis=1)
    kept = np.flatnonzero((length > 1e-12) if present is None else present & (length > 1e-12))
    directions = rows[kept] / length[kept, None]
    cosine = np.round(directions @ directions.T, _DIGITS)
    np.fill_diagonal(cosine, -np.inf)
    nearest = np.argsort(-cosine, axis=1, kind="stable")[:, : min(neighbours, max(len(kept) - 1, 0))]
    near = np.zeros(cosine.shape, bool)
    np.put_along_axis(near, nearest, True, axis=1)
    graph = np.where(near | near.T, np.maximum(cosine, 0), 0.0)
    return View(kept, np.round(directions, _DIGITS), graph)


def of_graph(graph: Array) -> View:
    """A view of a graph; a feature's direction is itself and its neighbours: its row of I + D^-½ A D^-½."""
    degree = graph.sum(1)
    kept = np.flatnonzero(degree > 0)
    graph, root = graph[np.ix_(kept, kept)], np.sqrt(degree[kept])
    rows = np.eye(len(kept)) + graph / np.outer(root, root)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return View(kept, np.round(rows, _DIGITS), np.round(graph, _DIGITS))
