"""What is searched: from a trial's choices to the recipe that they make, and back. Needs no torch.

Choices depend on each other: a method without a path has no steps, shares of influence are asked for only where
influence prunes, and clusters only where the recipe has a [clustering].
"""

from typing import Any

from optuna.trial import BaseTrial

from ingest.recipe import Recipe, TuningSection

Choices = dict[str, Any]
"""By the names of the recipe's keys, such as nodes.method."""
WITHOUT_STEPS = ("attribution-patching", "clean")
"""The method of nodes, and the formula of edges, that follow no path."""


def space_of(recipe: Recipe) -> TuningSection:
    return recipe.tuning or TuningSection()


def suggested(trial: BaseTrial, recipe: Recipe) -> Recipe:
    """The recipe with what the trial chooses."""
    space = space_of(recipe)
    nodes: Choices = {"method": trial.suggest_categorical("nodes.method", space.methods)}
    if nodes["method"] not in WITHOUT_STEPS:
        nodes["steps"] = trial.suggest_categorical("nodes.steps", space.node_steps)
    edges: Choices = {"formula": trial.suggest_categorical("edges.formula", space.formulas)}
    if edges["formula"] not in WITHOUT_STEPS:
        edges["steps"] = trial.suggest_categorical("edges.steps", space.edge_steps)
    by_influence = trial.suggest_categorical("pruning", space.prunings) == "influence"
    pruning: Choices = {
        "top_nodes": trial.suggest_int("pruning.top_nodes", *space.top_nodes, log=True),
        "node_threshold": _rounded(trial.suggest_float("pruning.node_threshold", *space.node_threshold, log=True)),
        "edge_threshold": _rounded(trial.suggest_float("pruning.edge_threshold", *space.edge_threshold, log=True)),
        "node_influence": None,
        "edge_influence": None,
    }
    if by_influence:
        for name, range_ in (("node_influence", space.node_influence), ("edge_influence", space.edge_influence)):
            pruning[name] = _rounded(trial.suggest_float(f"pruning.{name}", *range_))
    update: dict[str, Any] = {
        "nodes": recipe.nodes.model_copy(update=nodes),
        "edges": recipe.edges.model_copy(update=edges),
        "pruning": recipe.pruning.model_copy(update=pruning),
    }
    if recipe.clustering is not None:
        of = recipe.clustering
        clustering = {
            "methods": (trial.suggest_categorical("clustering.method", of.methods),),
            "bases": (trial.suggest_categorical("clustering.basis", recipe.clustering_bases()),),
            "clusters": trial.suggest_int("clustering.clusters", *space.clusters, log=True),
        }
        update["clustering"] = of.model_copy(update=clustering)
    return recipe.model_copy(update=update)


def own_choices(recipe: Recipe) -> Choices | None:
    """The choices that make the recipe as it stands; None where they are not all in what is searched."""
    space, said = space_of(recipe), recipe.pruning
    influence = (said.node_influence, said.edge_influence)
    if recipe.clustering is not None or None in influence != (None, None):
        return None
    pruning = "strongest" if influence == (None, None) else "influence"
    named: dict[str, tuple[Any, tuple[Any, ...]]] = {
        "nodes.method": (recipe.nodes.method, space.methods),
        "edges.formula": (recipe.edges.formula, space.formulas),
        "pruning": (pruning, space.prunings),
    }
    if recipe.nodes.method not in WITHOUT_STEPS:
        named["nodes.steps"] = recipe.nodes.steps, space.node_steps
    if recipe.edges.formula not in WITHOUT_STEPS:
        named["edges.steps"] = recipe.edges.steps, space.edge_steps
    if not all(value in among for value, among in named.values()):
        return None
    choices: Choices = {name: value for name, (value, _) in named.items()}
    ranges = ["top_nodes", "node_threshold", "edge_threshold"]
    ranges += ["node_influence", "edge_influence"] if pruning == "influence" else []
    for name in ranges:
        value, (low, high) = getattr(said, name), getattr(space, name)
        if not low <= value <= high:
            return None
        choices[f"pruning.{name}"] = value
    return choices


def _rounded(value: float) -> float:
    """To three digits, as one would write it; a range's ends may be met that way, never passed by more."""
    return float(f"{value:.3g}")
