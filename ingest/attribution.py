"""Predicted effects of all candidates of a circuit, one call a step: activations, gradients, nodes, edges.

The arithmetic stands in `ingest/gradients.py`, `ingest/nodes.py` and `ingest/edges.py`; here is what is computed of
what, in which batches, each kept as a stage.
"""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from ingest import gradients
from ingest.dictionaries import places
from ingest.edges import Runs, edge_weights
from ingest.gradients import Values
from ingest.hooks import EMBEDDING, Hook
from ingest.memory import free_memory, rows_that_fit, slices
from ingest.nodes import (
    METRIC,
    Directions,
    Means,
    Node,
    Slopes,
    directions,
    mean_effects,
    pair_effects,
    rank,
    token_nodes,
)
from ingest.progress import Bar, step
from ingest.pruning import select
from ingest.recipe import Recipe
from ingest.stretches import Stretch, stretch_to
from ingest.subject import Subject, metric_of
from ingest.work import Work
from store.errors import ModelError

_CANDIDATES = 1000  # features of one hook that can enter a circuit


@dataclass(frozen=True)
class Candidates:
    """What may enter a circuit, before anything is known of edges."""

    runs: Runs
    slopes: dict[Hook, Slopes]
    chosen: list[Node]
    """Features and error terms, in the order of the forward pass."""
    ranked: list[Node]
    """More features than that, strongest first."""
    means: dict[Hook, Means]


def find_candidates(recipe: Recipe, subject: Subject, work: Work, rows: dict[str, int]) -> Candidates:
    """The first half of the way: activations, gradients, effects of nodes."""
    with step("activations on the clean and the patch run"):
        clean, patch, m_clean, m_patch = _activations(subject, work, rows["forward"])
    with step(f"gradients ({recipe.nodes.method})") as bar:
        found = _gradients(recipe, subject, work, rows["backward"], clean, patch, bar)
    runs = Runs(clean, patch, found.clean, found.edges, m_clean, m_patch)
    slopes = _slopes(recipe, runs, found.nodes)
    with step("node effects"):
        return Candidates(runs, slopes, *_nodes(recipe, subject, runs, slopes, rows["forward"]))


@dataclass(frozen=True)
class Attribution:
    """Effects of candidates and of all edges between them. Columns of the tensors follow the lists."""

    sources: dict[Hook, Directions]
    """By the hooks between which edges are taken: past a dictionary without a candidate they go on."""
    nodes: list[Node]
    """Of the sources, and the metric last."""
    effects: Tensor
    """[pairs, nodes]"""
    activations: Tensor
    """[pairs, nodes]"""
    edges: list[tuple[Node, Node]]
    weights: Tensor
    """[pairs, edges]"""


def attribute(
    recipe: Recipe, subject: Subject, work: Work, candidates: Candidates, rows: dict[str, int]
) -> Attribution:
    """The second half: what the candidates do in every pair, and through each other."""
    sources = _directions(subject, candidates.chosen, candidates.runs)
    nodes = [*(node for at_hook in sources.values() for node in at_hook.nodes), METRIC]
    by_node = pair_effects(sources, candidates.slopes)
    effects = torch.stack([by_node[node] for node in nodes[:-1]], dim=1).cpu()
    activations = torch.cat([at_hook.activation for at_hook in sources.values()], dim=1).cpu()
    with step(f"edge effects ({recipe.edges.formula})") as bar:
        edges, weights = _edges(recipe, subject, work, candidates.chosen, sources, candidates.runs, rows, bar)
    nothing = torch.zeros(len(effects), 1)
    return Attribution(
        sources, nodes, torch.cat([effects, nothing], dim=1), torch.cat([activations, nothing], dim=1), edges, weights
    )


def batch_rows(recipe: Recipe, subject: Subject, work: Work, memory: int | None) -> dict[str, int]:
    """How many rows a batch of each kind has. Kept, so that a resumed run has the sizes of the first."""
    model, positions = subject.model, subject.train.n_positions
    width = max(dictionary.n_features for dictionary in subject.dictionaries.values())

    def choose() -> dict[str, int]:
        limit = memory or free_memory(model.device) // 2
        spare = max(limit // 2, 1)  # the other half is for the model, the dictionaries and what is kept

        def fit(most: int, *, gradient: bool) -> int:
            return rows_that_fit(spare, model, positions, model.n_layers, width, gradient=gradient, most=most)

        return {
            "forward": fit(128, gradient=False),
            "backward": fit(64, gradient=True),
            "stretch": fit(64, gradient=True),
            "edges": fit(1024, gradient=False),
            "interventions": fit(256, gradient=False),
        }

    return work.facts("rows", choose)


def _joined(parts: list[Values]) -> Values:
    return {hook: torch.cat([part[hook] for part in parts]) for hook in parts[0]}


def _activations(subject: Subject, work: Work, rows: int) -> tuple[Values, Values, Tensor, Tensor]:
    hooks = [EMBEDDING, *places(subject.dictionaries.values())]
    train, metric = subject.train, metric_of(subject.train)

    def compute() -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        for run, tokens in (("clean", train.clean_tokens), ("patch", train.patch_tokens)):
            parts = [
                gradients.hook_values(subject.model, tokens[s], hooks, metric[s]) for s in slices(len(tokens), rows)
            ]
            found |= {f"{run}.{h.name}": v for h, v in _joined([values for values, _ in parts]).items()}
            found[f"{run}.metric"] = torch.cat([m for _, m in parts])
        return found

    kept = {name: tensor.to(subject.model.device) for name, tensor in work.tensors("activations", compute).items()}
    clean, patch = ({h: kept[f"{run}.{h.name}"] for h in hooks} for run in ("clean", "patch"))
    return clean, patch, kept["clean.metric"], kept["patch.metric"]


@dataclass(frozen=True)
class Gradients:
    """∂m/∂x at every hook: at the clean run, and averaged along the paths that node and edge effects ask for."""

    clean: Values
    nodes: Values
    edges: Values


def gradient_paths(recipe: Recipe) -> tuple[tuple[str, int], tuple[str, int]]:
    """The path, and the points of it, along which gradients are averaged for nodes and for edges."""
    path = "ig-dictionary" if recipe.nodes.method == "share-weighted" else recipe.nodes.method
    for_nodes = ("clean", 1) if path == "attribution-patching" else (path, recipe.nodes.steps)
    for_edges = ("clean", 1) if recipe.edges.formula == "clean" else ("ig-dictionary", recipe.edges.steps)
    return for_nodes, for_edges


def _gradients(
    recipe: Recipe, subject: Subject, work: Work, rows: int, clean: Values, patch: Values, bar: Bar
) -> Gradients:
    """Edges always take the path on which their target's hook alone moves: an edge changes nothing else there."""
    hooks = [EMBEDDING, *subject.hooks]
    model, metric = subject.model, metric_of(subject.train)
    parts_of = list(slices(len(subject.train.pairs), rows))

    def averaged(path: str, steps: int) -> Values:
        def part(s: slice) -> Values:
            x, y = ({hook: value[s] for hook, value in run.items()} for run in (clean, patch))
            if path == "clean":
                return gradients.gradients_at(model, 0, x[EMBEDDING], hooks, metric[s])[0]
            follow = gradients.along_hooks if path == "ig-dictionary" else gradients.along_inputs
            return follow(model, x, y, hooks, metric[s], steps)

        def compute() -> dict[str, Tensor]:
            parts = []
            for s in parts_of:
                parts.append(part(s))
                bar.advance()
            return {hook.name: gradient for hook, gradient in _joined(parts).items()}

        found = work.tensors(f"gradients-{path}-{steps}", compute)
        return {hook: found[hook.name].to(model.device) for hook in hooks}

    for_nodes, for_edges = gradient_paths(recipe)
    wanted = dict.fromkeys([("clean", 1), for_nodes, for_edges])
    bar.of(len(parts_of) * len(wanted))
    found = {path: averaged(*path) for path in wanted}
    return Gradients(found["clean", 1], found[for_nodes], found[for_edges])


def _slopes(recipe: Recipe, runs: Runs, along: Values) -> dict[Hook, Slopes]:
    if recipe.nodes.method != "share-weighted":
        return {hook: Slopes(gradient) for hook, gradient in along.items()}
    whole = runs.metric_patch - runs.metric_clean
    return {hook: Slopes(gradient, runs.gradient_clean[hook], whole) for hook, gradient in along.items()}


def _nodes(
    recipe: Recipe, subject: Subject, runs: Runs, by: dict[Hook, Slopes], rows: int
) -> tuple[list[Node], list[Node], dict[Hook, Means]]:
    """The nodes of the circuit, the candidate features strongest first, and the means for ablation."""
    effects, means = {}, {}
    for hook, dictionary in subject.dictionaries.items():
        features, errors, means[hook] = mean_effects(dictionary, by[hook], runs.clean, runs.patch, rows)
        effects[hook] = (features, errors)
    most = min(max(recipe.pruning.top_nodes, *recipe.faithfulness.sizes, 1), _CANDIDATES)
    everything = bool(recipe.faithfulness.shares)
    ranked = rank(effects, subject.first_position, max(f.numel() for f, _ in effects.values()) if everything else most)
    whole = abs(float((runs.metric_patch - runs.metric_clean).mean()))
    chosen = select(ranked, recipe.pruning.top_nodes, recipe.pruning.node_threshold * whole)
    if not any(node.kind == "feature" for node in chosen):
        raise ModelError(
            f"no feature has an effect of {recipe.pruning.node_threshold * whole:.2g} or more on the metric: "
            "lower pruning.node_threshold, or check that the pairs differ in what the task is about"
        )
    return chosen, [node for node in ranked.nodes if node.kind == "feature"], means


def _directions(subject: Subject, chosen: list[Node], runs: Runs) -> dict[Hook, Directions]:
    tokens = token_nodes(subject.train.clean_tokens, subject.train.patch_tokens)
    found = {EMBEDDING: directions(None, tokens, runs.clean, runs.patch)}
    for hook, dictionary in subject.dictionaries.items():
        if nodes := [node for node in chosen if node.hook == hook]:
            found[hook] = directions(dictionary, nodes, runs.clean, runs.patch)
    return found


def _edges(
    recipe: Recipe,
    subject: Subject,
    work: Work,
    chosen: list[Node],
    sources: dict[Hook, Directions],
    runs: Runs,
    rows: dict[str, int],
    bar: Bar,
) -> tuple[list[tuple[Node, Node]], Tensor]:
    """Every edge between nodes of the circuit, and its weight in each pair, [pairs, edges]."""
    n = len(runs.metric_clean)
    edges: list[tuple[Node, Node]] = []
    weights: list[Tensor] = []
    bar.of(len(chosen) + 1)
    hooks = [hook for hook in subject.hooks if hook in sources]
    for hook in [*hooks, None]:
        targets = [METRIC] if hook is None else [node for node in chosen if node.hook == hook]
        stretch = stretch_to(hook, hooks)
        starts = [node for h in stretch.sources if h in sources for node in sources[h].nodes]
        if targets and starts:
            compute = partial(_edges_into, recipe, subject, stretch, targets, sources, runs, rows)
            found = work.tensors(f"edges-{hook.name if hook else 'metric'}", compute)["weights"]
            edges += [(start, target) for target in targets for start in starts]
            weights.append(found.permute(1, 0, 2).reshape(n, -1))
        bar.advance(len(targets))
    return edges, torch.cat(weights, dim=1) if weights else torch.zeros(n, 0)


def _edges_into(
    recipe: Recipe,
    subject: Subject,
    stretch: Stretch,
    targets: list[Node],
    sources: dict[Hook, Directions],
    runs: Runs,
    rows: dict[str, int],
) -> dict[str, Tensor]:
    parts = [
        edge_weights(
            subject.model,
            stretch,
            targets,
            {hook: at_hook[s] for hook, at_hook in sources.items()},
            subject.dictionaries[stretch.target] if stretch.target else None,
            runs[s],
            metric_of(subject.train)[s],
            recipe.edges.formula,
            recipe.edges.steps,
            rows["edges"],
        )
        for s in slices(len(runs.metric_clean), rows["stretch"])
    ]
    return {"weights": torch.cat(parts, dim=1)}
