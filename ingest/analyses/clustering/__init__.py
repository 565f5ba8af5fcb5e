"""Clusterings of the features that stand in a model's stored circuits, by several methods on several bases.

All are made for the same number of clusters and judged by the same figures on the same resamplings, so that they
stand side by side. Each stays in the store beside those that were made before.
"""

import json
import math
from collections import defaultdict
from collections.abc import Collection
from functools import partial
from typing import Any

import numpy as np
import torch
from scipy import sparse
from threadpoolctl import threadpool_limits
from torch import Tensor

from ingest.analyses.clustering.activity import Activity, activity
from ingest.analyses.clustering.methods import STARTS, cluster, communities
from ingest.analyses.clustering.names import names
from ingest.analyses.clustering.quality import agreement, modularity, silhouettes
from ingest.analyses.clustering.stored import Stored, ask
from ingest.analyses.clustering.views import Material, Sample, resampled, whole
from ingest.analyses.registry import Analysing
from ingest.corpus import open_corpus
from ingest.hooks import Hook
from ingest.memory import free_memory, rows_that_fit
from ingest.progress import step
from ingest.recipe import CORPUS_BASES, Basis, ClusteringMethod, ClusteringSection
from ingest.rows import Rows, add_features, add_model
from store.errors import ModelError, RecipeError
from store.uids import short_hash

Array = np.ndarray[Any, Any]

SHARE = 0.8
"""Of the features that a resampling takes."""
_BATCH = 16
"""Contexts of a batch, at most."""
_DIGITS = 6
"""Of the figures that are kept: those behind them may differ from machine to machine."""


def analyse(given: Analysing) -> Rows:
    """A Clustering a method and basis, with its clusters and members.

    Raises RecipeError for more clusters than features, ModelError where no circuit is stored, or no corpus is there.
    """
    said, model = given.recipe.clustering, given.model
    assert said is not None
    bases = given.recipe.clustering_bases()
    material, full = open_material(given, bases)
    stored = material.stored
    rows: Rows = defaultdict(list)
    add_model(rows, given.recipe, model, given.dictionaries.values())
    add_features(rows, model, given.dictionaries, _indices(stored))
    with threadpool_limits(1), step("clusterings") as bar:  # sums of several threads differ in their last bits
        k = said.clusters or natural(stored, full, given)
        asked = [(method, basis) for basis in dict.fromkeys(bases) for method in dict.fromkeys(said.methods)]
        bar.of(len(asked))
        for method, basis in asked:
            compute = partial(made, given, material, full, method, basis, k)
            found = given.work.tensors(f"{method}-{basis}", compute)
            _add(rows, given, material, full, method, basis, k, found)
            bar.advance()
    return rows


def open_material(given: Analysing, bases: Collection[Basis]) -> tuple[Material, Sample]:
    """What these bases are made of, and all of it as a sample. Errors as of `analyse`."""
    said, model = given.recipe.clustering, given.model
    assert said is not None
    with step("features of stored circuits"):
        stored = ask(given.store, model.name, given.dictionaries)
    _check(stored, said, given)
    seen, n_contexts = _activity(given, stored) if set(bases) & set(CORPUS_BASES) else (None, 0)
    decoder = torch.stack([given.dictionaries[hook].W_dec[index] for hook, index in stored.features])
    material = Material(stored, decoder.cpu().double().numpy(), seen, said.neighbours)
    return material, whole(len(stored.uids), len(stored.circuits), n_contexts)


def _check(stored: Stored, said: ClusteringSection, given: Analysing) -> None:
    n, name = len(stored.uids), given.model.name
    if not n:
        raise ModelError(f"no circuit of {name} with features of these dictionaries is stored: there is nothing to "
                         f"cluster; `circuitstore ingest {given.where}` finds some")  # fmt: skip
    if n < 3:
        raise ModelError(f"the stored circuits of {name} have {n} features, too few to cluster: give it more circuits, "
                         "or larger ones (pruning.top_nodes)")  # fmt: skip
    if said.clusters is not None and said.clusters > n:
        raise RecipeError(f"{given.where}: clustering.clusters: {said.clusters} clusters of {n} features can't be "
                          f"made: the stored circuits of {name} have no more; ask for {n} or fewer")  # fmt: skip


def _activity(given: Analysing, stored: Stored) -> tuple[Activity, int]:
    """What the features do on the corpus, and the number of its contexts."""
    chosen, model = given.recipe.corpus, given.model
    assert chosen is not None  # the recipe was checked
    corpus = open_corpus(chosen.file, chosen.contexts, model)
    width = max(dictionary.n_features for dictionary in given.dictionaries.values())

    def choose() -> dict[str, int]:
        spare = max((given.memory or free_memory(model.device) // 2) // 2, 1)
        positions = corpus.tokens.shape[1]
        return {"contexts": rows_that_fit(spare, model, positions, model.n_layers, width, gradient=False, most=_BATCH)}

    rows = int(given.work.facts("batch", choose)["contexts"])
    with step(f"activations on {corpus.n_tokens} tokens") as bar:
        return (
            activity(model, given.dictionaries, stored.features, corpus, rows, given.work, bar),
            len(corpus.tokens),
        )


def _indices(stored: Stored) -> dict[Hook, list[int]]:
    used: dict[Hook, list[int]] = {}
    for hook, index in stored.features:
        used.setdefault(hook, []).append(index)
    return used


def natural(stored: Stored, full: Sample, given: Analysing) -> int:
    """As many clusters as Leiden finds in the attribution graph, by square roots of its weights as `View`s have them;
    what has no edge there is no cluster."""
    graph = np.sqrt(stored.attribution_graph(full.circuits))
    joined = np.flatnonzero(graph.sum(1) > 0)
    if len(joined) < 2:
        raise RecipeError(f"{given.where}: clustering.clusters: say how many; the stored circuits have no edges "
                          "between features that could tell")  # fmt: skip
    found = communities(sparse.csr_matrix(graph[np.ix_(joined, joined)]), 1.0, given.recipe.seed, STARTS)
    return max(2, int(found.max()) + 1)


def made(
    given: Analysing, material: Material, full: Sample, method: ClusteringMethod, basis: Basis, k: int
) -> dict[str, Tensor]:
    """One clustering: labels, [features]; the parameter searched; and each resampling's agreement with it."""
    said, seed = given.recipe.clustering, given.recipe.seed
    assert said is not None

    def labels(sample: Sample, seed: int) -> tuple[Array, float]:
        view = material.view(basis, sample)
        found = cluster(method, view, k, seed, said.components)
        all_labels = np.full(len(sample.features), -1)
        all_labels[view.features] = found.labels
        return all_labels, found.chosen

    mine, chosen = labels(full, seed)
    agreements = []
    for n in range(said.resamplings):
        sample = resampled(full, SHARE, np.random.default_rng([seed, n]))
        again, _ = labels(sample, seed + 1000 * (n + 1))
        agreements.append(agreement(mine[sample.features], again))
    return {"labels": torch.tensor(mine), "chosen": torch.tensor([chosen], dtype=torch.float64),
            "agreements": torch.tensor(agreements, dtype=torch.float64)}  # fmt: skip


def _add(
    rows: Rows,
    given: Analysing,
    material: Material,
    full: Sample,
    method: ClusteringMethod,
    basis: Basis,
    k: int,
    found: dict[str, Tensor],
) -> None:
    """Adds one clustering. Its uid holds a hash of all that it is."""
    labels, stored = found["labels"].numpy(), material.stored
    clusters = [np.flatnonzero(labels == n).tolist() for n in range(int(labels.max()) + 1)]
    view = material.view(basis, full)
    each = np.full(len(labels), np.nan)
    each[view.features] = silhouettes(view.directions, labels[view.features])
    whole_graph = stored.attribution_graph(full.circuits)
    properties = {
        "method": method,
        "params": _params(given, method, basis, k, float(found["chosen"])),
        "silhouette": _figure(float(np.nanmean(each))) if np.isfinite(each).any() else None,
        "modularity": _figure(modularity(whole_graph, labels)),
        "stability": _figure(float(found["agreements"].mean())),
        "basis": basis,
        "n_clusters": len(clusters),
        "n_features": int((labels >= 0).sum()),
        "left_out": int((labels < 0).sum()),
        "sizes": " ".join(str(len(members)) for members in clusters),
    }
    content = [properties, [[stored.uids[n] for n in members] for members in clusters]]
    uid = f"clustering:{given.model.name}:{method}:{basis}:{short_hash(content)}"
    rows["Clustering"].append({"uid": uid, **properties})
    rows["PRODUCED_BY.Clustering-Run"].append({"source": uid, "target": given.run})
    top_tokens = {row["uid"]: row["top_tokens"] for row in rows["Feature"]}
    called = names(clusters, [top_tokens[uid] for uid in stored.uids])
    for number, (members, name) in enumerate(zip(clusters, called, strict=True)):
        cluster_uid = f"{uid}:{number}"
        rows["Cluster"].append({"uid": cluster_uid, "name": name, "size": len(members)})
        rows["PART_OF"].append({"source": cluster_uid, "target": uid})
        rows["MEMBER_OF.Feature-Cluster"] += [
            {"source": stored.uids[n], "target": cluster_uid, "silhouette": _figure(each[n])} for n in members
        ]


def _params(given: Analysing, method: ClusteringMethod, basis: Basis, k: int, chosen: float) -> str:
    """What the clustering was made with, as JSON; only what it depends on."""
    said = given.recipe.clustering
    assert said is not None
    params: dict[str, Any] = {"clusters": k, "seed": given.recipe.seed, "resamplings": said.resamplings}
    if method == "k-means":
        params["components"] = said.components
    if method == "leiden":
        params["resolution"] = _figure(chosen)
    if method == "hdbscan":
        params["min_cluster_size"] = None if math.isnan(chosen) else int(chosen)
    if method in ("spectral", "leiden") and not basis.endswith("-graph"):
        params["neighbours"] = said.neighbours
    if basis in CORPUS_BASES and given.recipe.corpus is not None:
        params["contexts"] = given.recipe.corpus.contexts
    return json.dumps(params)


def _figure(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), _DIGITS)
