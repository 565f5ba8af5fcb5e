"""The recipe's steps in order, one call a step. What comes out is a bundle.

Knows nothing of Parquet or databases: assembly.py turns what is found here into the schema's rows.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ingest.ablation import Intervention
from ingest.analyses.features.activity import Reading, activities
from ingest.attribution import Attribution, Candidates, attribute, batch_rows, find_candidates
from ingest.corpus import open_corpus
from ingest.hooks import Hook
from ingest.nodes import Node
from ingest.progress import step
from ingest.pruning import Graph, features_of, graph_of, prune
from ingest.recipe import Recipe
from ingest.steps.evidence import Observed, observe, tell_agreement
from ingest.steps.faithfulness import measure_faithfulness
from ingest.subject import Subject
from ingest.work import Work


@dataclass(frozen=True)
class Found:
    """A circuit, over all pairs. Edges are (source, target); columns of per-pair tensors follow their lists."""

    nodes: list[Node]
    effects: Tensor
    """[pairs, nodes]"""
    activations: Tensor
    """[pairs, nodes]"""
    hooks: set[Hook]
    """Those between which edges were taken."""
    edges: list[tuple[Node, Node]]
    weights: Tensor
    """[pairs, edges]"""
    observed: Observed
    metric_clean: Tensor
    """[pairs]"""
    metric_patch: Tensor
    """[pairs]"""
    measurements: list[tuple[Intervention, Tensor]]
    """The metric on the held-out pairs, [held-out pairs], under each intervention; the first of each kind of error
    treatment is the empty circuit."""
    held_out_metric: Tensor
    """The same with nothing ablated."""
    densities: dict[Node, float] | None
    """How dense the features are, where that prunes them."""


def find_circuit(recipe: Recipe, subject: Subject, work: Work, memory: int | None) -> Found:
    """All steps from the opened subject to a pruned and tested circuit."""
    rows = batch_rows(recipe, subject, work, memory)
    candidates = find_candidates(recipe, subject, work, rows)
    attribution = attribute(recipe, subject, work, candidates, rows)
    densities = densities_of(recipe, subject, work, attribution.nodes, rows["forward"])
    graph = task_graph(recipe, candidates, attribution, densities)
    with step("faithfulness on held-out pairs") as bar:
        measurements, held_out_metric = measure_faithfulness(
            recipe, subject, work, candidates.ranked, features_of(graph), candidates.means, rows, bar
        )
    runs, sources = candidates.runs, attribution.sources
    effects, edges, weights = attribution.effects[:, :-1], attribution.edges, attribution.weights
    with step("observed effects") as bar:
        observed = observe(recipe, subject, work, sources, effects, edges, weights, runs, rows, bar)
    tell_agreement(effects, edges, weights, observed, float((runs.metric_patch - runs.metric_clean).mean()))
    unseen = torch.full((len(effects), 1), torch.nan)
    return Found(
        attribution.nodes,
        attribution.effects,
        attribution.activations,
        set(sources),
        edges,
        weights,
        Observed(torch.cat([observed.nodes, unseen], dim=1), observed.edges),
        runs.metric_clean.cpu(),
        runs.metric_patch.cpu(),
        measurements,
        held_out_metric,
        densities,
    )


def task_graph(
    recipe: Recipe, candidates: Candidates, attribution: Attribution, densities: dict[Node, float] | None
) -> Graph:
    """The task's circuit: the mean over pairs, pruned as the recipe says."""
    of = attribution
    whole = float(candidates.runs.metric_patch.mean()) - float(candidates.runs.metric_clean.mean())
    return prune(
        graph_of(of.nodes, of.edges, of.effects.mean(0), of.activations.mean(0), of.weights.mean(0)),
        recipe.pruning,
        whole,
        densities,
    )


def densities_of(
    recipe: Recipe, subject: Subject, work: Work, nodes: list[Node], rows: int
) -> dict[Node, float] | None:
    """The share of the corpus's tokens on which each feature is active."""
    if recipe.pruning.max_density is None:
        return None
    assert recipe.corpus is not None
    corpus = open_corpus(recipe.corpus.file, recipe.corpus.contexts, subject.model)
    reading = Reading(rows, 1, recipe.corpus.max_norm)
    with step("density of features in the corpus") as bar:
        found = activities(subject.model, subject.dictionaries, corpus, reading, work, bar)
    density = {hook: activity.active / activity.tokens for hook, activity in found.items()}
    return {n: float(density[n.hook][n.index]) for n in nodes if n.kind == "feature" and n.hook is not None}
