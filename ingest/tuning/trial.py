"""One trial: a recipe from its activations to its figures."""

from dataclasses import dataclass

from ingest.attribution import Candidates, attribute, batch_rows, find_candidates, gradient_paths
from ingest.nodes import Node
from ingest.pipeline import densities_of, task_graph
from ingest.progress import step
from ingest.pruning import features_of
from ingest.recipe import Recipe
from ingest.recovery import recovery
from ingest.steps.faithfulness import held_out_metric, measure_circuit
from ingest.subject import Subject
from ingest.tuning.clusters import Clusters, cluster_trial
from ingest.tuning.ledger import Ledger
from store.errors import ModelError

Passes = tuple[int, int]
"""Gradients taken: of the metric through the model, and of edges' targets (or runs of sources) through a stretch."""


@dataclass(frozen=True)
class Figures:
    """What a circuit is judged by."""

    faithfulness: float
    nodes: int
    edges: int
    seconds: float
    passes: Passes
    clusters: Clusters | None = None

    @property
    def deviation(self) -> float:
        """|1 − F|"""
        return abs(1 - self.faithfulness)

    @property
    def size(self) -> int:
        return self.nodes + self.edges

    def values(self) -> list[float]:
        """The objectives'."""
        return [self.deviation, float(self.size), self.seconds, *self._disorder()]

    def learnt(self) -> list[float]:
        """The same for later trials to learn from, without a clock."""
        return [self.deviation, float(self.size), float(sum(self.passes)), *self._disorder()]

    def named(self) -> dict[str, float]:
        """What is shown of it."""
        of = self.clusters
        shown: dict[str, float] = {"faithfulness": self.faithfulness, "nodes": self.nodes, "edges": self.edges}
        return (
            shown | {"seconds": self.seconds} | ({"stability": of.stability, "modularity": of.modularity} if of else {})
        )

    def told(self) -> str:
        return f"F {self.faithfulness:.3f}, {self.nodes} nodes, {self.edges} edges, {self.seconds:.1f} s"

    def _disorder(self) -> list[float]:
        return [self.clusters.disorder] if self.clusters else []


@dataclass(frozen=True)
class Bench:
    """What all trials of a study share."""

    subject: Subject
    ledger: Ledger
    memory: int | None


def judge(recipe: Recipe, bench: Bench) -> Figures:
    """The figures of the task's circuit: those that `circuitstore ingest` gives it.

    Raises ModelError where a recipe makes no circuit. The bench's ledger has begun.
    """
    subject, work = bench.subject, bench.ledger
    rows = batch_rows(recipe, subject, work, bench.memory)
    candidates = find_candidates(recipe, subject, work, rows)
    attribution = attribute(recipe, subject, work, candidates, rows)
    densities = densities_of(recipe, subject, work, attribution.nodes, rows["forward"])
    graph = task_graph(recipe, candidates, attribution, densities)
    if not (features := features_of(graph)):
        raise ModelError("no feature is left of the circuit")
    with step("faithfulness on held-out pairs"):
        share = _recovered(bench, candidates, features, rows)
    if share is None:
        raise undefined(subject)
    clusters = None
    if recipe.clustering is not None:
        clusters = cluster_trial(recipe, subject, work.own, candidates, attribution, densities, bench.memory)
    passes = passes_of(recipe, subject, candidates)
    return Figures(share, len(graph.nodes), len(graph.edges), work.seconds, passes, clusters)


class UndefinedError(ModelError):
    """Faithfulness is not defined: it is so in every trial."""


def undefined(subject: Subject) -> UndefinedError:
    return UndefinedError(
        f"{subject.task_name}: on the held-out pairs the metric is the same with every feature and with none, so that "
        "faithfulness is not defined and nothing can be tuned by it: give it other pairs, or more (task.held_out)"
    )


def passes_of(recipe: Recipe, subject: Subject, candidates: Candidates) -> Passes:
    """A measure of a recipe's cost that no clock disturbs: where neither is more, it is no slower."""
    hooks = len(subject.hooks) + 1
    paths = {("clean", 1), *gradient_paths(recipe)}
    along = sum(steps * (hooks if path == "ig-dictionary" else 1) for path, steps in paths)
    once = recipe.edges.formula in ("patched", "clean", "reference")  # patched: a run a source, not a gradient a target
    points = 1 if once else recipe.edges.steps + 1
    return along, points * (len(candidates.chosen) + 1)


def _recovered(bench: Bench, candidates: Candidates, features: set[Node], rows: dict[str, int]) -> float | None:
    subject, work = bench.subject, bench.ledger
    found = measure_circuit(subject, work, candidates.ranked, features, candidates.means, rows)
    (_, empty), (_, metric) = found[0], found[-1]
    return recovery(metric, empty, held_out_metric(subject, work, rows)).share
