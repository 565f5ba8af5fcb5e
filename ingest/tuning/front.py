"""The trials that no other beats, as data, and the one that is chosen of them. Needs no torch."""

from typing import Any

import optuna
from optuna.trial import FrozenTrial

from ingest.tuning.space import Choices

FIGURES = "figures"
"""The attribute of a trial's figures by name."""
ENOUGH = 0.1
"""|1 − F| of a circuit that is faithful enough for its size to decide."""
_NEAR = 1.1
_CHOICES = (
    "nodes.method", "nodes.steps", "edges.formula", "edges.steps", "pruning", "pruning.top_nodes",
    "pruning.node_threshold", "pruning.edge_threshold", "pruning.node_influence", "pruning.edge_influence",
)  # fmt: skip
_OF_CLUSTERS = ("clustering.method", "clustering.basis", "clustering.clusters")


def front(study: optuna.Study) -> list[FrozenTrial]:
    """The trials that no other trial beats in one objective and equals in the others; the most faithful first."""
    return sorted(study.best_trials, key=lambda trial: (*trial.values, trial.number))


def chosen(trials: list[FrozenTrial]) -> FrozenTrial:
    """The smallest circuit with |1 − F| ≤ 0.1; where there is none, the least |1 − F|. Of equals, the fastest.

    With clusters: of the circuits at most a tenth larger than that, the one whose clusters are in best order.
    """
    good = [trial for trial in trials if trial.values[0] <= ENOUGH]
    if not good:
        return min(trials, key=lambda trial: (*trial.values, trial.number))
    best = min(good, key=lambda trial: (*trial.values[1:], trial.values[0], trial.number))
    if len(best.values) == 3:
        return best
    near = [trial for trial in good if trial.values[1] <= _NEAR * best.values[1]]
    return min(near, key=lambda trial: (trial.values[3], trial.values[1], trial.number))


def table(trials: list[FrozenTrial], pick: FrozenTrial) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows: the figures and the choices of each."""
    figures = list(pick.user_attrs[FIGURES])
    choices = [*_CHOICES, *(_OF_CLUSTERS if len(pick.values) > 3 else ())]
    rows = [
        [
            trial.number,
            trial.number == pick.number,
            trial.values[0],
            *(trial.user_attrs[FIGURES][name] for name in figures),
            *(_as_tried(trial.params).get(name) for name in choices),
        ]
        for trial in trials
    ]
    return ["trial", "chosen", "deviation", *figures, *choices], rows


def _as_tried(params: Choices) -> Choices:
    """Numbers as the recipe had them."""
    return {name: float(f"{v:.3g}") if isinstance(v, float) else v for name, v in params.items()}
