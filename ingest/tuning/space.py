"""What is searched: from a trial's choices to the recipe that they make, and back. Needs no torch.

Choices depend on each other: a method without a path has no steps, shares of influence are asked for only where
influence prunes, and clusters only where the recipe has a [clustering].
"""

from typing import Any

from optuna.trial import BaseTrial

from ingest.recipe import Recipe, TuningSection

Choices = dict[str, Any]
"""By the names of the recipe's keys, such as nodes.method."""


def space_of(recipe: Recipe) -> TuningSection:
    return recipe.tuning or TuningSection()


def suggested(trial: BaseTrial, recipe: Recipe) -> Recipe:
    """The recipe with what the trial chooses."""
    space = space_of(recipe)
    nodes: Choices = {"method": trial.suggest_categorical("nodes.method", space.methods)}
    if nodes["method"] != "attribution-patching":
        nodes["steps"] = trial.suggest_categorical("nodes.steps", space.node_steps)
    edges: Choices = {"formula": trial.suggest_categorical("edges.formula", space.formulas)}
    if edges["formula"] != "clean":
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
    choices: Choices = {
        "nodes.method": recipe.nodes.method,
        "nodes.steps": recipe.nodes.steps,
        "edges.formula": recipe.edges.formula,
        "edges.steps": recipe.edges.steps,
        "pruning": "strongest" if influence == (None, None) else "influence",
    }
    named: dict[str, tuple[Any, ...]] = {
        "nodes.method": space.methods,
        "nodes.steps": space.node_steps,
        "edges.formula": space.formulas,
        "edges.steps": space.edge_steps,
        "pruning": space.prunings,
    }
    ranges = ["top_nodes", "node_threshold", "edge_threshold"]
    ranges += ["node_influence", "edge_influence"] if choices["pruning"] == "influence" else []
    for name in ranges:
        value, (low, high) = getattr(said, name), getattr(space, name)
        if not low <= value <= high:
            return None
        choices[f"pruning.{name}"] = value
    return choices if all(choices[name] in among for name, among in named.items()) else None


def _rounded(value: float) -> float:
    """To three digits, as one would write it; a range's ends may be met that way, never passed by more."""
    return float(f"{value:.3g}")
