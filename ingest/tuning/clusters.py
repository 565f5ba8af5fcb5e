"""The clustering that a trial chooses, of the circuits that it makes: those of the task and of its prompts."""

from dataclasses import dataclass
from math import isnan
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from threadpoolctl import threadpool_limits

from ingest.ablation import Intervention
from ingest.analyses.clustering import made, open_material
from ingest.analyses.clustering.quality import modularity
from ingest.analyses.registry import Analysing
from ingest.assembly import write_circuits
from ingest.attribution import Attribution, Candidates
from ingest.nodes import Node
from ingest.pipeline import Found
from ingest.progress import step
from ingest.recipe import FaithfulnessSection, Recipe
from ingest.steps.evidence import Observed
from ingest.subject import Subject
from ingest.work import Work
from store.database import open_store


@dataclass(frozen=True)
class Clusters:
    """How good a clustering is."""

    stability: float
    modularity: float

    @property
    def disorder(self) -> float:
        """1 less the mean of both. One objective, since with more of them nearly every trial is on the front."""
        return 1 - (self.stability + self.modularity) / 2


def cluster_trial(
    recipe: Recipe,
    subject: Subject,
    work: Work,
    candidates: Candidates,
    attribution: Attribution,
    densities: dict[Node, float] | None,
    memory: int | None,
) -> Clusters:
    """The figures that `circuitstore cluster` gives where nothing but these circuits is stored.

    Raises RecipeError where the circuits have too few features.
    """
    said = recipe.clustering
    assert said is not None
    assert said.clusters is not None
    with TemporaryDirectory() as folder, open_store(f"ladybug:{folder}/store.lbug") as store:
        plain = recipe.model_copy(update={"faithfulness": FaithfulnessSection()})
        store.load(write_circuits(plain, subject, _unmeasured(candidates, attribution, densities), _RUN, Path(folder)))
        given = Analysing(recipe, "tuning", subject.model, subject.dictionaries, store, work, memory, "run:tuning")
        (method,), (basis,) = said.methods, recipe.clustering_bases()
        material, full = open_material(given, [basis])
        with threadpool_limits(1), step("clusters"):
            found = made(given, material, full, method, basis, said.clusters)
    graph = material.stored.attribution_graph(full.circuits)
    structure = modularity(graph, found["labels"].numpy())
    return Clusters(float(found["agreements"].mean()), 0.0 if isnan(structure) else structure)


_RUN = {"command": "tune", "params": "{}", "versions": "{}", "seed": 0, "started_at": None}


def _unmeasured(candidates: Candidates, attribution: Attribution, densities: dict[Node, float] | None) -> Found:
    runs, of = candidates.runs, attribution
    nothing = torch.zeros(1)
    return Found(
        of.nodes,
        of.effects,
        of.activations,
        set(of.sources),
        of.edges,
        of.weights,
        Observed(torch.full_like(of.effects, torch.nan), torch.full_like(of.weights, torch.nan)),
        runs.metric_clean.cpu(),
        runs.metric_patch.cpu(),
        [(Intervention("faithfulness", (), "ablated"), nothing)],
        nothing,
        densities,
    )
