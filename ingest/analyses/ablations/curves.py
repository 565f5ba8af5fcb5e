"""What one circuit recovers: by size, baseline and treatment of errors; cut to edges; without each of its features."""

from collections.abc import Iterator
from functools import partial

from pydantic_core import to_json
from torch import Tensor

from ingest.ablation import Baseline, Errors, Intervention, measure, random_circuit, resampled, zero
from ingest.analyses.registry import Analysing
from ingest.analyses.studies import Study
from ingest.edge_circuits import measure_edges
from ingest.hooks import EMBEDDING, Hook
from ingest.memory import slices
from ingest.nodes import Means
from ingest.progress import Bar, console
from ingest.pruning import Edge, prune
from ingest.recipe import AblationsSection
from ingest.recovery import recovery
from ingest.rows import Row, ablation_row

Measured = list[tuple[Row, dict[str, list[str]]]]
"""A row of an ablation, and what it ablated: uids by label."""

_ROWS = 256


def measure_curves(given: Analysing, said: AblationsSection, study: Study, bar: Bar) -> Measured:
    """Everything that is measured of one circuit alone."""
    planned = [(baseline, errors, list(_planned(said, study, baseline, errors)))
               for baseline in dict.fromkeys(said.baselines) for errors in ("ablated", "kept")]  # fmt: skip
    bar.of(sum(len(interventions) for _, _, interventions in planned) + len(said.edges) + len(said.prunings))
    found: Measured = []
    for baseline, errors, interventions in planned:
        baselines = baseline_of(given, study, baseline)
        metrics = []
        at_once = max(1, _ROWS // len(study.full))
        for s in slices(len(interventions), at_once):
            stage = f"{study.circuit}-{baseline}-{errors}-{s.start}".replace(":", "-")
            compute = partial(_measure, given, study, baselines, interventions[s])
            metrics += list(given.work.tensors(stage, compute)["metric"])
            bar.advance(s.stop - s.start)
        if recovery(metrics[0], metrics[0], study.full).share is None:
            console.print(f"{study.name}: with all features at their {baseline} and errors {errors} the metric is the "
                          "full model's: faithfulness is not defined there, and left empty")  # fmt: skip
        for one, metric in zip(interventions, metrics, strict=True):
            found.append(_row(study, one, baseline, metric, metrics[0]))
        if (baseline, errors) == (said.baselines[0], "ablated"):
            found += _prunings(given, said, study, baselines, metrics[0], bar)
            found += _edges(given, said, study, baselines, metrics[0], baseline, bar)
    return found


def baseline_of(given: Analysing, study: Study, baseline: Baseline) -> dict[Hook, Means]:
    """What takes the place of what is ablated."""
    if baseline == "mean":
        return study.means
    if baseline == "zero":
        return {hook: zero(dictionary, study.means[hook]) for hook, dictionary in given.dictionaries.items()}
    return {
        hook: resampled(dictionary, study.prompts, len(study.full), given.recipe.seed)
        for hook, dictionary in given.dictionaries.items()
    }


def _planned(said: AblationsSection, study: Study, baseline: Baseline, errors: Errors) -> Iterator[Intervention]:
    """The empty circuit first."""
    first = baseline == said.baselines[0]
    yield Intervention("faithfulness", (), errors)
    if errors == "ablated":  # all features together; with error terms kept it is the whole model
        yield Intervention("completeness", (), errors)
    for size in sorted({min(size, len(study.features)) for size in said.sizes}):
        nodes = study.features[:size]
        yield Intervention("faithfulness", nodes, errors)
        yield Intervention("completeness", nodes, errors)
        if first:
            for seed in range(said.random_circuits):
                yield Intervention("random", random_circuit(nodes, study.means, seed), errors, seed)
    if first and errors == "ablated":
        smallest = study.features[: said.minimality]
        for node in smallest:
            yield Intervention("minimality", smallest, errors, left_out=node)


def _measure(
    given: Analysing, study: Study, baselines: dict[Hook, Means], interventions: list[Intervention]
) -> dict[str, Tensor]:
    tokens = study.subject.held_out.clean_tokens[: len(study.full)]
    found = measure(
        given.model, given.dictionaries, baselines, tokens, study.metric, interventions, study.first_position
    )
    return {"metric": found}


def _row(
    study: Study, one: Intervention, baseline: str, metric: Tensor, empty: Tensor
) -> tuple[Row, dict[str, list[str]]]:
    left_out = "" if one.left_out is None else study.uids[one.left_out].removeprefix(f"{study.circuit}:")
    row = ablation_row(
        study.circuit,
        one.kind,
        len(one.nodes),
        recovery(metric, empty, study.full),
        n_pairs=len(study.full),
        baseline=baseline,
        errors=one.errors,
        left_out=left_out,
        seed=one.seed,
    )
    return row, {} if one.left_out is None else {"CircuitNode": [study.uids[one.left_out]]}


def _prunings(
    given: Analysing, said: AblationsSection, study: Study, baselines: dict[Hook, Means], empty: Tensor, bar: Bar
) -> Measured:
    """What each way to prune the circuit keeps, and what that recovers with every error term ablated."""
    found: Measured = []
    for number, choice in enumerate(said.prunings):
        pruned = prune(study.graph, choice, study.whole, study.densities)
        features = [node for node in pruned.nodes if node.kind == "feature"]
        one = Intervention("faithfulness", features, "ablated")
        stage = f"{study.circuit}-pruning-{number}".replace(":", "-")
        metric = given.work.tensors(stage, partial(_measure, given, study, baselines, [one]))["metric"][0]
        row = ablation_row(
            study.circuit,
            "pruning",
            len(pruned.nodes),
            recovery(metric, empty, study.full),
            n_pairs=len(metric),
            baseline=said.baselines[0],
            errors="ablated",
            n_edges=len(pruned.edges),
            choice=to_json(choice.model_dump(exclude_defaults=True)).decode(),
        )
        found.append((row, {}))
        bar.advance()
    return found


def _edges(
    given: Analysing,
    said: AblationsSection,
    study: Study,
    baselines: dict[Hook, Means],
    empty: Tensor,
    baseline: str,
    bar: Bar,
) -> Measured:
    found: Measured = []
    for n in sorted({min(n, len(study.edges)) for n in said.edges}):
        edges = study.edges[:n]

        def compute(edges: list[Edge] = edges) -> dict[str, Tensor]:
            metric = measure_edges(
                given.model, given.dictionaries, baselines, study.held_out[EMBEDDING],
                study.prompts[EMBEDDING].mean(0), study.metric, study.hooks, edges, _ROWS,
            )  # fmt: skip
            return {"metric": metric}

        metric = given.work.tensors(f"{study.circuit}-edges-{n}".replace(":", "-"), compute)["metric"]
        nodes = {node for edge in edges for node in edge if node.kind == "feature"}
        recovered = recovery(metric, empty, study.full)
        row = ablation_row(
            study.circuit, "edges", len(nodes), recovered, n_pairs=len(metric), baseline=baseline, errors="ablated",
            n_edges=n,
        )  # fmt: skip
        found.append((row, {}))
        bar.advance()
    return found
