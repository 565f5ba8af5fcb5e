"""Where in the model a circuit acts: its effect by hook and position."""

from collections import defaultdict

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from ingest.plots.style import DIVERGING, categories, new_figure, number, shown
from ingest.plots.tables import Row, Tables, position_name, site

_KINDS = {"feature": "Features", "error": "Error terms"}
_DEPTH = {"attn": 0, "mlp": 1, "": 2}
_WRITTEN_IN = 200
"""Cells, at most: a value is written into each where there is room."""


def effects(tables: Tables, circuit: Row) -> Figure | None:
    """The summed effect of features, and of error terms, each a panel; None where no node has an effect."""
    uid = circuit["uid"]
    nodes = [node for node in tables.nodes(uid) if node["kind"] in _KINDS and node["effect"] is not None]
    if not nodes:
        return None
    hooks = sorted({_hook(uid, node) for node in nodes}, key=lambda hook: (hook[0], _DEPTH.get(hook[1], 1), hook[1]))
    places = {_place(node) for node in nodes}
    positions = sorted(places, key=lambda place: (place[0] is None, place[0] or 0, place[1]))
    kinds = [kind for kind in _KINDS if any(node["kind"] == kind for node in nodes)]
    grids = {kind: np.full((len(hooks), len(positions)), np.nan) for kind in kinds}
    sums: dict[tuple[str, int, int], float] = defaultdict(float)
    for node in nodes:
        sums[node["kind"], hooks.index(_hook(uid, node)), positions.index(_place(node))] += node["effect"]
    for (kind, row, column), total in sums.items():
        grids[kind][row, column] = total
    largest = max(abs(total) for total in sums.values()) or 1.0
    width = max(2.2, 0.62 * len(positions)) if len(positions) <= 24 else 0.3 * len(positions)
    figure = new_figure(
        2.6 + len(kinds) * min(width, 14),
        1.2 + min(max(0.38 * len(hooks), 1.2), 12),
        f"{shown(circuit['name'], 50)}: effect by layer and position",
        f"{tables.metric(uid)}Predicted change of the metric when a node is patched, summed over the circuit's nodes "
        "of a layer and position. Blank: the circuit has none there.",
    )
    every = figure.subplots(1, len(kinds), sharey=True, squeeze=False)[0]
    for axes, kind in zip(every, kinds, strict=True):
        image = axes.imshow(grids[kind], DIVERGING, Normalize(-largest, largest), aspect="auto", origin="lower")
        axes.set_title(_KINDS[kind])
        axes.grid(False)
        categories(axes, "x", _names(positions), slanted=True)
        categories(axes, "y", [_hook_name(hook) for hook in hooks])
        if grids[kind].size <= _WRITTEN_IN and len(positions) <= 12:
            _write_values(axes, grids[kind], largest)
    every[0].set_ylabel("layer")
    figure.colorbar(image, ax=list(every), label="effect on the metric", fraction=0.05, pad=0.02)
    return figure


def _hook(circuit: str, node: Row) -> tuple[int, str]:
    return node["layer"], site(circuit, node)


def _hook_name(hook: tuple[int, str]) -> str:
    return " ".join(str(part) for part in hook if part != "")


def _place(node: Row) -> tuple[int | None, str]:
    return node["position"], position_name(node)


def _names(positions: list[tuple[int | None, str]]) -> list[str]:
    """Of positions; with the number where several share one name."""
    names = [name for _, name in positions]
    return [
        "no position" if at is None else shown(name, 14) if names.count(name) == 1 else f"{shown(name, 10)} ({at})"
        for at, name in positions
    ]


def _write_values(axes: Axes, grid: np.ndarray, largest: float) -> None:
    for row, column in np.argwhere(np.isfinite(grid)):
        value = float(grid[row, column])
        colour = "white" if abs(value) > 0.6 * largest else "black"
        axes.text(column, row, number(value), ha="center", va="center", color=colour, fontsize=7.5)
