"""Faithfulness and completeness over a range of sizes, beside random circuits, on the held-out pairs."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from ingest import gradients
from ingest.ablation import Errors, Intervention, measure, random_circuit
from ingest.hooks import Hook
from ingest.memory import slices
from ingest.nodes import Means, Node
from ingest.progress import Bar
from ingest.recipe import Recipe
from ingest.subject import Subject, metric_of
from ingest.work import Work


def measure_faithfulness(
    recipe: Recipe,
    subject: Subject,
    work: Work,
    ranked: list[Node],
    chosen: int,
    means: dict[Hook, Means],
    rows: dict[str, int],
    bar: Bar,
) -> tuple[list[tuple[Intervention, Tensor]], Tensor]:
    """Each intervention with the metric under it, [held-out pairs], and the metric with nothing ablated.

    ranked: candidate features, strongest first; chosen: how many of them the circuit has.
    """
    interventions = _interventions(recipe, ranked, chosen, means)
    held_out, metric = subject.held_out, metric_of(subject.held_out)
    at_once = max(1, rows["interventions"] // len(held_out.pairs))
    bar.of(len(interventions))
    parts: list[Tensor] = []

    def part(some: list[Intervention]) -> dict[str, Tensor]:
        pieces = [
            measure(
                subject.model,
                subject.dictionaries,
                means,
                held_out.clean_tokens[s],
                metric[s],
                some,
                subject.first_position,
            )
            for s in slices(len(held_out.pairs), rows["interventions"])
        ]
        return {"metric": torch.cat(pieces, dim=1)}

    def whole() -> dict[str, Tensor]:
        pieces = [
            gradients.hook_values(subject.model, held_out.clean_tokens[s], [], metric[s])[1]
            for s in slices(len(held_out.pairs), rows["forward"])
        ]
        return {"metric": torch.cat(pieces)}

    full = work.tensors("held-out", whole)["metric"]
    batches = [  # of one treatment of errors each: where all are ablated, none need be computed
        alike[s]
        for errors in ("ablated", "kept")
        for alike in [[one for one in interventions if one.errors == errors]]
        for s in slices(len(alike), at_once)
    ]
    for number, some in enumerate(batches):
        parts.append(work.tensors(f"faithfulness-{at_once}-{number}", partial(part, some))["metric"])
        bar.advance(len(some))
    return list(zip(interventions, torch.cat(parts), strict=True)), full


def _interventions(recipe: Recipe, ranked: list[Node], chosen: int, means: dict[Hook, Means]) -> list[Intervention]:
    """chosen: how many of the ranked features the circuit has."""
    sizes = sorted({min(size, len(ranked)) for size in (*recipe.faithfulness.sizes, chosen)})
    more = set(sizes_of(recipe.faithfulness.shares, len(ranked))) - set(sizes)
    seeds = [recipe.seed + n for n in range(recipe.faithfulness.random_circuits)]
    errors: Errors
    found: list[Intervention] = []
    for errors in ("ablated", "kept"):
        found.append(Intervention("faithfulness", (), errors))
        for size in sizes:
            found.append(Intervention("faithfulness", ranked[:size], errors))
            found.append(Intervention("completeness", ranked[:size], errors))
            found += [Intervention("random", random_circuit(ranked[:size], means, s), errors, s) for s in seeds]
        found += [Intervention("faithfulness", ranked[:size], errors) for size in sorted(more)]
    return found


def sizes_of(shares: Sequence[float], n: int) -> list[int]:
    """How many of n features each share keeps."""
    return [max(1, round(share * n)) for share in shares]
