"""Predicted effects of a circuit's nodes and edges against observed ones."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator
from matplotlib.transforms import Bbox

from ingest.agreement import agreement, whole_change
from ingest.plots.style import BLACK, BLUE, GREEN, GREY, ORANGE, laid_out, new_figure, number, plain_numbers, shown
from ingest.plots.tables import Row, Tables, node_name

_LOOKS = {"feature": (BLUE, "o"), "error": (ORANGE, "^"), "other": (GREEN, "s")}
_NODE_NAMES = {"feature": "features", "error": "error terms", "other": "tokens and others"}
_EDGE_NAMES = {
    "feature": "between features",
    "error": "from or to an error term",
    "other": "from a token, or to the metric",
}
_BEHIND = {"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 2}
"""What keeps text in a corner readable where points lie below it."""
_NAMED = 5
_NOTE = (
    "Change of the metric when a node, or an edge, alone is patched. Line: prediction and observation equal. "
    "r: Pearson. Slope of observed on predicted, through the origin. "
    "Sign right: of those observed beyond 1 % of the metric's change. "
    "Axes: linear up to the inner ticks, logarithmic beyond."
)


@dataclass(frozen=True)
class Point:
    predicted: float
    observed: float
    kind: str
    """feature, error or other."""
    name: str


def predictions(tables: Tables, circuit: Row) -> Figure | None:
    """Nodes and edges side by side; None where nothing was observed."""
    uid = circuit["uid"]
    nodes = {node["uid"]: node for node in tables.nodes(uid)}
    panels = {"Nodes": _nodes(uid, list(nodes.values())), "Edges": _edges(uid, nodes, tables.observed_edges(uid))}
    panels = {title: points for title, points in panels.items() if points}
    if not panels:
        return None
    whole = whole_change(circuit)
    title = f"{shown(circuit['name'], 50)}: predicted and observed effects"
    pairs = circuit["observed_pairs"]
    note = _NOTE if pairs is None else f"{_NOTE} Observed: means over {pairs} pair{'s' * (pairs != 1)}."
    figure = new_figure(0.7 + 4.4 * len(panels), 4.6, title, tables.metric(uid) + note)
    every = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (title, points) in zip(every, panels.items(), strict=True):
        _draw(axes, points, whole)
        axes.set_title(f"{title} ({len(points)})")
    for axes, (title, points) in zip(every, panels.items(), strict=True):
        _legend(axes, points, title)
    every[0].set_ylabel("observed effect on the metric")
    laid_out(figure)
    for axes, points in zip(every, panels.values(), strict=True):
        _name_strongest(figure, axes, points)
    return figure


def _nodes(circuit: str, nodes: list[Row]) -> list[Point]:
    return [
        Point(node["effect"], node["observed_effect"], _kind(node), node_name(circuit, node))
        for node in nodes
        if node["effect"] is not None and node["observed_effect"] is not None
    ]


def _edges(circuit: str, nodes: dict[str, Row], edges: list[Row]) -> list[Point]:
    points = []
    for edge in edges:
        ends = [nodes[edge[end]] for end in ("source", "target") if edge[end] in nodes]
        if len(ends) == 2 and edge["weight"] is not None:
            kinds = {_kind(end) for end in ends}
            kind = next((one for one in ("error", "other") if one in kinds), "feature")
            name = " → ".join(node_name(circuit, end).partition(" @")[0] for end in ends)
            points.append(Point(edge["weight"], edge["observed"], kind, name))
    return points


def _kind(node: Row) -> str:
    return str(node["kind"]) if node["kind"] in ("feature", "error") else "other"


def _draw(axes: Axes, points: Sequence[Point], whole: float | None) -> None:
    predicted, observed = [point.predicted for point in points], [point.observed for point in points]
    largest = max(1e-12, *map(abs, (*predicted, *observed)))
    limit, linear = 2.5 * largest, _linear_up_to(largest, whole)
    for set_scale in (axes.set_xscale, axes.set_yscale):
        set_scale("symlog", linthresh=linear, linscale=0.8)
    for which, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
        axis.set_major_locator(FixedLocator(_ticks(linear, limit)))
        axis.set_minor_locator(FixedLocator([]))
        plain_numbers(axes, which)
    axes.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xlabel="predicted effect on the metric")
    axes.axhline(0, color=GREY, linewidth=0.6, zorder=1)
    axes.axvline(0, color=GREY, linewidth=0.6, zorder=1)
    axes.plot((-limit, limit), (-limit, limit), color=BLACK, linewidth=0.9, zorder=1)
    for kind, (colour, marker) in _LOOKS.items():
        some = [point for point in points if point.kind == kind]
        axes.scatter(
            [point.predicted for point in some], [point.observed for point in some],
            s=22, color=colour, marker=marker, alpha=0.75, edgecolor="white", linewidth=0.4, zorder=3,
        )  # fmt: skip
    told = agreement(predicted, observed, whole)
    sign = "–" if told.sign is None else f"{told.sign:.0%}"
    text = f"r {number(told.pearson)}\nslope {number(told.slope)}\nsign right {sign}"
    axes.text(0.03, 0.97, text, transform=axes.transAxes, va="top", linespacing=1.4, zorder=4, bbox=_BEHIND)


def _linear_up_to(largest: float, whole: float | None) -> float:
    """Where the axes become logarithmic: a power of ten about 1 % of the metric's whole change, if that is known."""
    wanted = abs(whole or largest) / 100
    return float(10.0 ** math.floor(math.log10(min(max(wanted, largest / 1000), largest / 3))))


def _ticks(linear: float, limit: float) -> list[float]:
    powers = range(round(math.log10(linear)), math.floor(math.log10(limit)) + 1)
    some = [float(10.0**power) for power in powers][:: 2 if len(powers) > 3 and linear < 0.01 else 1]
    return [*(-tick for tick in reversed(some)), 0.0, *some]


def _legend(axes: Axes, points: Sequence[Point], title: str) -> None:
    names = _NODE_NAMES if title == "Nodes" else _EDGE_NAMES
    kinds = [kind for kind in _LOOKS if any(point.kind == kind for point in points)]
    handles = [
        Line2D([], [], color=_LOOKS[kind][0], marker=_LOOKS[kind][1], linestyle="", markersize=5) for kind in kinds
    ]
    axes.legend(
        handles,
        [names[kind] for kind in kinds],
        loc="lower right",
        handletextpad=0.2,
        fontsize=8,
        frameon=True,
        framealpha=0.8,
        edgecolor="none",
    )


def _name_strongest(figure: Figure, axes: Axes, points: Sequence[Point]) -> None:
    """Names the strongest points in a column beside them, beyond the line, as far as there is room for each."""
    ranked = sorted(points, key=lambda point: -abs(point.observed))
    strongest = [point for point in ranked[:_NAMED] if abs(point.observed) >= 0.1 * abs(ranked[0].observed) > 0]
    corners = [text.get_window_extent() for text in axes.texts]
    if (legend := axes.get_legend()) is not None:
        corners.append(legend.get_window_extent())
    dots = axes.transAxes.inverted().transform(
        axes.transData.transform([(point.predicted, point.observed) for point in points])
    )
    at = {id(point): (x, y) for point, (x, y) in zip(points, dots, strict=True)}
    taken = [*corners, *(_around(axes, x, y) for x, y in dots)]
    height = axes.bbox.height * 72 / figure.dpi
    for sign in (-1, 1):  # those below stand below the line, those above it above
        some = sorted((p for p in strongest if p.observed * sign > 0), key=lambda point: at[id(point)][1] * sign)
        if not some:
            continue
        beside = max(-sign * at[id(point)][0] for point in some) * -sign - sign * 0.08
        for row, point in enumerate(reversed(some)):
            edge = (8 + 13 * row) / height
            placed = axes.annotate(
                shown(point.name, 30), (point.predicted, point.observed), (beside, edge if sign < 0 else 1 - edge),
                textcoords="axes fraction", ha="left" if sign < 0 else "right", va="center", fontsize=7.5, zorder=5,
                arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "shrinkA": 1, "shrinkB": 3,
                            "relpos": (0, 0.5) if sign < 0 else (1, 0.5)},
            )  # fmt: skip
            placed.get_window_extent()  # moves it there
            box = Text.get_window_extent(placed)  # without the line that leads to it
            within = axes.bbox.x0 <= box.x0 and box.x1 <= axes.bbox.x1
            if not within or box.count_overlaps(taken):
                placed.remove()


def _around(axes: Axes, x: float, y: float) -> Bbox:
    left, low = axes.transAxes.transform((x, y))
    return Bbox.from_bounds(left - 4, low - 4, 8, 8)
