"""Faithfulness and completeness over a range of sizes, beside random circuits, on the held-out pairs."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from ingest import gradients
from ingest.ablation import Errors, Intervention, Kind, measure, random_circuit
from ingest.hooks import Hook
from ingest.memory import slices
from ingest.nodes import Means, Node
from ingest.progress import Bar
from ingest.recipe import Recipe
from ingest.subject import Subject, metric_of
from ingest.work import Work

Measurements = list[tuple[Intervention, Tensor]]
"""Interventions, with the metric under each, [held-out pairs]."""


def measure_faithfulness(
    recipe: Recipe,
    subject: Subject,
    work: Work,
    ranked: list[Node],
    features: set[Node],
    means: dict[Hook, Means],
    rows: dict[str, int],
    bar: Bar,
) -> tuple[Measurements, Tensor]:
    """Each intervention with the metric under it, and the metric with nothing ablated, [held-out pairs].

    ranked: candidate features, strongest first; features: those of the circuit. The circuit itself comes first, in a
    batch of its own, so that nothing else that is measured moves the last bits of its figures.
    """
    own = [node for node in ranked if node in features]
    others = [one for one in _interventions(recipe, ranked, own, means) if not _is_own(one, own)]
    bar.of(len(others) + 2)
    found = measure_circuit(subject, work, ranked, features, means, rows)
    bar.advance(2)
    for errors in ("ablated", "kept"):  # a batch has one treatment: where all are ablated, none need be computed
        some = [one for one in others if one.errors == errors]
        found += measure_each(subject, work, f"faithfulness-{errors}", some, means, rows, bar=bar)
    return found, held_out_metric(subject, work, rows)


def measure_circuit(
    subject: Subject,
    work: Work,
    ranked: list[Node],
    features: set[Node],
    means: dict[Hook, Means],
    rows: dict[str, int],
) -> Measurements:
    """The empty circuit and the circuit, error terms ablated, on the held-out pairs."""
    own = [node for node in ranked if node in features]
    kind: Kind = "faithfulness" if own == ranked[: len(own)] else "pruning"
    both = [Intervention("faithfulness", (), "ablated")]
    if own:
        both.append(Intervention(kind, own, "ablated"))
    return measure_each(subject, work, f"faithfulness-own-{len(own)}", both, means, rows)


def measure_each(
    subject: Subject,
    work: Work,
    name: str,
    interventions: Sequence[Intervention],
    means: dict[Hook, Means],
    rows: dict[str, int],
    pairs: int | None = None,
    bar: Bar | None = None,
) -> Measurements:
    """Several interventions at a time, each batch kept as a stage."""
    tokens, metric = subject.held_out.clean_tokens[:pairs], metric_of(subject.held_out)[:pairs]
    at_once = max(1, rows["interventions"] // len(tokens))

    def part(some: Sequence[Intervention]) -> dict[str, Tensor]:
        pieces = [
            measure(subject.model, subject.dictionaries, means, tokens[s], metric[s], some, subject.first_position)
            for s in slices(len(tokens), rows["interventions"])
        ]
        return {"metric": torch.cat(pieces, dim=1)}

    found: Measurements = []
    for number, s in enumerate(slices(len(interventions), at_once)):
        some = interventions[s]
        metrics = work.tensors(f"{name}-{at_once}-{number}", partial(part, some))["metric"]
        found += zip(some, metrics, strict=True)
        if bar is not None:
            bar.advance(len(some))
    return found


def held_out_metric(subject: Subject, work: Work, rows: dict[str, int]) -> Tensor:
    """The metric with nothing ablated, [held-out pairs]."""
    held_out, metric = subject.held_out, metric_of(subject.held_out)

    def whole() -> dict[str, Tensor]:
        pieces = [
            gradients.hook_values(subject.model, held_out.clean_tokens[s], [], metric[s])[1]
            for s in slices(len(held_out.pairs), rows["forward"])
        ]
        return {"metric": torch.cat(pieces)}

    return work.tensors("held-out", whole)["metric"]


def _is_own(one: Intervention, own: list[Node]) -> bool:
    """Whether `measure_circuit` measures it."""
    return (one.kind, one.errors) == ("faithfulness", "ablated") and (not one.nodes or one.nodes == own)


def _interventions(recipe: Recipe, ranked: list[Node], own: list[Node], means: dict[Hook, Means]) -> list[Intervention]:
    sizes = sorted({min(size, len(ranked)) for size in (*recipe.faithfulness.sizes, len(own)) if size})
    more = set(sizes_of(recipe.faithfulness.shares, len(ranked))) - set(sizes)
    seeds = [recipe.seed + n for n in range(recipe.faithfulness.random_circuits)]
    errors: Errors
    found: list[Intervention] = []
    for errors in ("ablated", "kept"):
        found.append(Intervention("faithfulness", (), errors))
        if errors == "ablated":  # all features together; with error terms kept it is the whole model
            found.append(Intervention("completeness", (), errors))
        for size in sizes:
            found.append(Intervention("faithfulness", ranked[:size], errors))
            found.append(Intervention("completeness", ranked[:size], errors))
            found += [Intervention("random", random_circuit(ranked[:size], means, s), errors, s) for s in seeds]
        found += [Intervention("faithfulness", ranked[:size], errors) for size in sorted(more)]
    return found


def sizes_of(shares: Sequence[float], n: int) -> list[int]:
    """How many of n features each share keeps."""
    return [max(1, round(share * n)) for share in shares]
