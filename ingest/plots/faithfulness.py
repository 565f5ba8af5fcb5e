"""What a circuit recovers of the metric, and what the model keeps without it, by the circuit's size."""

import math
from collections import defaultdict

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ingest.plots.style import BLACK, BLUE, GREY, VERMILLION, add_legend, new_figure, number, shown, sizes_axis
from ingest.plots.tables import Row, Tables

_COLOURS = {"faithfulness": BLUE, "edges": BLUE, "completeness": VERMILLION}
_DASHES = ((0, ()), (0, (1.2, 1.4)), (0, (5, 2)), (0, (5, 2, 1, 2)))
_NOT_DEFINED = "F is not defined here: the metric is the same\nwith everything as with nothing"
_FURTHEST = (-1.0, 2.5)
"""Beyond these, a curve is cut off: a few that explode must not flatten all others."""

Curve = list[tuple[int, float, float, float]]
"""Size, F, and the ends of its interval; they are F itself where none was measured."""


def faithfulness(tables: Tables, circuit: Row) -> Figure | None:
    """A panel for each treatment of error terms, by nodes and by edges; None where nothing was measured."""
    measured = [row for row in tables.ablations(circuit["uid"]) if row["kind"] in (*_COLOURS, "random")]
    panels: dict[tuple[bool, str], list[Row]] = defaultdict(list)
    for row in measured:
        panels[row["kind"] == "edges", row["errors"]].append(row)
    if not panels:
        return None
    baselines = sorted({str(row["baseline"]) for row in measured}, key=lambda name: (name != "mean", name))
    pairs = " or ".join(str(n) for n in sorted({row["n_pairs"] for row in measured}))
    note = (
        f"Measured on {pairs} {measured[0]['split']} pairs. F = 1: as the whole model; 0: as with everything ablated, "
        "the empty circuit. Shaded: 95 % bootstrap interval over pairs; of random circuits, lowest to highest."
    )
    if any(
        not _FURTHEST[0] <= row["faithfulness"] <= _FURTHEST[1] for row in measured if row["faithfulness"] is not None
    ):
        note += f" What lies beyond {number(_FURTHEST[0])} or {number(_FURTHEST[1])} is out of sight."
    handles, columns = _legend(measured, baselines), min(len(panels), 3)
    title = f"{shown(circuit['name'], 50)}: faithfulness by size"
    figure = new_figure(1.0 + 3.8 * len(panels), 3.9, title, note, math.ceil(len(handles) / columns))
    add_legend(figure, handles, columns)
    every = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (by_edges, errors) in zip(every, sorted(panels), strict=True):
        axes.set_title(f"Cut to edges, errors {errors}" if by_edges else f"Error terms {errors}")
        axes.set_xlabel("edges kept" if by_edges else "features kept, or ablated")
        _draw(axes, panels[by_edges, errors], baselines, "n_edges" if by_edges else "n_nodes")
    every[0].set_ylabel("share of the metric, F")
    every[0].set_ylim(_limits(measured, baselines[0]))
    return figure


def curve(rows: list[Row], kind: str, baseline: str, by: str) -> Curve:
    """The defined points of a curve. by: n_nodes or n_edges."""
    found = [row for row in rows if (row["kind"], row["baseline"]) == (kind, baseline)]
    points = []
    for row in found:
        share = row["faithfulness"]
        if share is not None and row[by] is not None:
            ends = (share if row[end] is None else row[end] for end in ("low", "high"))
            points.append((row[by], share, *ends))
    return sorted(points)


def _draw(axes: Axes, rows: list[Row], baselines: list[str], by: str) -> None:
    sizes_axis(axes, max((row[by] or 1 for row in rows), default=1))
    for level in (0, 1):
        axes.axhline(level, color=BLACK, linewidth=0.8, zorder=1)
    _draw_random(axes, rows)
    for baseline, dashes in zip(baselines, _dashes(baselines), strict=True):
        for kind, colour in _COLOURS.items():
            points = curve(rows, kind, baseline, by)
            if not points:
                continue
            sizes, shares, low, high = zip(*points, strict=True)
            axes.plot(
                sizes, shares, color=colour, linestyle=dashes, marker="o", markersize=3.5, label=f"{kind} {baseline}"
            )
            if baseline == baselines[0]:
                axes.fill_between(sizes, low, high, color=colour, alpha=0.16, linewidth=0)
    if all(row["faithfulness"] is None for row in rows):
        axes.text(0.5, 0.5, _NOT_DEFINED, transform=axes.transAxes, ha="center", va="center", color=GREY)


def _draw_random(axes: Axes, rows: list[Row]) -> None:
    found = defaultdict(list)
    for row in rows:
        if row["kind"] == "random" and row["faithfulness"] is not None:
            found[row["n_nodes"]].append(row["faithfulness"])
    if found:
        sizes = sorted(found)
        axes.fill_between(sizes, [min(found[n]) for n in sizes], [max(found[n]) for n in sizes],
                          color=GREY, alpha=0.3, linewidth=0)  # fmt: skip
        means = [sum(found[n]) / len(found[n]) for n in sizes]
        axes.plot(sizes, means, color=GREY, marker="s", markersize=3, label="random")


def _limits(measured: list[Row], baseline: str) -> tuple[float, float]:
    """All points are in sight, and the intervals of the first baseline, as far as `_FURTHEST`."""
    ends = [row[end] for row in measured if row["baseline"] == baseline for end in ("low", "high")]
    reached = [0.0, 1.0, *(x for x in (*ends, *(row["faithfulness"] for row in measured)) if x is not None)]
    least, most = max(min(reached), _FURTHEST[0]), min(max(reached), _FURTHEST[1])
    return least - 0.05 * (most - least), most + 0.05 * (most - least)


def _dashes(baselines: list[str]) -> list[tuple[int, tuple[float, ...]]]:
    return [_DASHES[min(number, len(_DASHES) - 1)] for number in range(len(baselines))]


def _legend(measured: list[Row], baselines: list[str]) -> dict[str, Artist]:
    kinds = {row["kind"] for row in measured}
    handles: dict[str, Artist] = {}
    if kinds & {"faithfulness", "edges"}:
        handles["circuit alone (faithfulness; 1 is ideal)"] = Line2D([], [], color=BLUE, marker="o", markersize=3.5)
    if "completeness" in kinds:
        handles["model without the circuit (completeness; 0 is ideal)"] = Line2D(
            [], [], color=VERMILLION, marker="o", markersize=3.5
        )
    if "random" in kinds:
        seeds = len({row["seed"] for row in measured if row["kind"] == "random"})
        handles[f"random circuits of the same size (mean of {seeds})"] = Line2D(
            [], [], color=GREY, marker="s", markersize=3
        )
    if len(baselines) > 1:
        for baseline, dashes in zip(baselines, _dashes(baselines), strict=True):
            handles[f"ablated to {shown(baseline, 24)}"] = Line2D([], [], color=BLACK, linestyle=dashes)
    return handles
