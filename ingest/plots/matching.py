"""How well features of neighbouring dictionaries were matched, pair by pair and method by method."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ingest.plots.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, categories, new_figure, shown
from ingest.plots.tables import Row, Tables

_METHODS = {"sae_match": "SAE Match", "feature_flow": "feature flow", "correlation": "correlation"}
_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY)
_MARKERS = "o^sDv"
_LOWEST = -1.0
"""Explained variance of matches at random may be below any scale: no axis reaches further for its sake."""

Pair = tuple[str, str]
"""Uids of the dictionaries matched."""


@dataclass(frozen=True)
class Line:
    label: str
    colour: str
    marker: str
    dashed: bool
    values: dict[Pair, float]


def matching(tables: Tables) -> Figure | None:
    """Confirmed share, agreement of methods, explained variance, each a panel; None where nothing was matched."""
    rows = tables.rows("MATCHED")
    layers = {row["uid"]: (row["layer"], row["hook"]) for row in tables.rows("Dictionary")}
    pairs = sorted({(row["source"], row["target"]) for row in rows}, key=lambda pair: [layers[end] for end in pair])
    order = list(_METHODS)
    found = {row["method"] for row in rows}
    methods = [*(name for name in order if name in found), *sorted(found.difference(order))]
    panels = {
        ("Confirmed: the successor falls silent", "share of matches tested"): list(_confirmed(rows, methods)),
        ("Agreement of methods", "share with the same best match"): list(_agreement(rows, methods)),
        ("Explained variance", "share of the variance"): list(_explained(rows, methods)),
    }
    drawn = {titles: lines for titles, lines in panels.items() if any(line.values for line in lines)}
    if not drawn:
        return None
    note = (
        "Best match of each feature. Chance: a match and its control, another feature active at the same tokens, "
        "exchanged. Explained variance: each feature of the earlier dictionary stands for its match in the later one."
    )
    if min(_of(rows, "random_explained_variance").values(), default=0.0) < _LOWEST:
        note += f" Matches at random that explain less than {_LOWEST:g} may be out of sight.".replace("-", "−")
    width = 3.6 if len(pairs) <= 8 else 0.45 * len(pairs)
    figure = new_figure(0.6 + len(drawn) * width, 4.2, "How well features were matched", note)
    every = figure.subplots(1, len(drawn), squeeze=False)[0]
    names = [_name(pair, tables) for pair in pairs]
    for axes, ((title, label), lines) in zip(every, drawn.items(), strict=True):
        _draw(axes, lines, pairs)
        axes.set(title=title, ylabel=label, xlabel="layers of the dictionaries")
        categories(axes, "x", names, slanted=max(map(len, names)) > 8 or len(names) > 6)
    return figure


def _of(rows: list[Row], column: str, method: str | None = None) -> dict[Pair, float]:
    """A column's values by pair; of any method where none is named."""
    return {
        (row["source"], row["target"]): row[column]
        for row in rows
        if row[column] is not None and method in (None, row["method"])
    }


def _lines(rows: list[Row], column: str, methods: list[str]) -> Iterator[Line]:
    for number, method in enumerate(methods):
        colour, marker = _COLOURS[number % len(_COLOURS)], _MARKERS[number % len(_MARKERS)]
        yield Line(_method(method), colour, marker, False, _of(rows, column, method))


def _confirmed(rows: list[Row], methods: list[str]) -> Iterator[Line]:
    yield from _lines(rows, "confirmed", methods)
    for line in _lines(rows, "control_confirmed", methods):
        yield Line(f"{line.label}, chance", line.colour, line.marker, True, line.values)


def _agreement(rows: list[Row], methods: list[str]) -> Iterator[Line]:
    known = [method for method in methods if method in _METHODS]
    for number, (one, other) in enumerate(combinations(known, 2)):
        values = _of(rows, f"same_as_{other}", one)
        # None of the methods' own colours: what is compared are two of them.
        yield Line(f"{_method(one)} – {_method(other)}", (BLACK, PURPLE, SKY)[number], "oDv"[number], False, values)


def _explained(rows: list[Row], methods: list[str]) -> Iterator[Line]:
    yield from _lines(rows, "explained_variance", methods)
    yield Line("the later dictionary itself", BLACK, "", True, _of(rows, "own_explained_variance"))
    yield Line("matches at random", GREY, "x", True, _of(rows, "random_explained_variance"))


def _draw(axes: Axes, lines: list[Line], pairs: list[Pair]) -> None:
    lowest = 0.0
    drawn = [line for line in lines if line.values]
    for line in drawn:
        axes.plot(
            [pairs.index(pair) for pair in pairs if pair in line.values],
            [line.values[pair] for pair in pairs if pair in line.values],
            color=line.colour, marker=line.marker or "_", markersize=5, label=line.label,
            linestyle=(0, (2, 1.5)) if line.dashed else "-", linewidth=1.2,
            markerfacecolor="white" if line.dashed else line.colour,
        )  # fmt: skip
        bound = _LOWEST if line.dashed else -math.inf
        lowest = min(lowest, max(bound, min(line.values.values())))
    axes.legend(handles=list(axes.lines), loc="upper left", bbox_to_anchor=(-0.05, -0.2), fontsize=8)
    if lowest < 0:
        axes.axhline(0, color=BLACK, linewidth=0.8)
    axes.set_xlim(-0.4, len(pairs) - 0.6)
    axes.set_ylim(lowest - 0.06 * (1 - lowest), 1.04)


def _method(name: str) -> str:
    return _METHODS.get(name, f"method {shown(name, 18)}")


def _name(pair: Pair, tables: Tables) -> str:
    """The layers, with the site where that is not the residual stream."""
    of = {row["uid"]: row for row in tables.rows("Dictionary")}
    ends = (of[end] for end in pair)
    return " → ".join(f"{end['layer']}" + (f" {end['site']}" if end["site"] != "resid" else "") for end in ends)
