"""How every plot looks: the same on every machine, whatever a user's own settings of matplotlib are.

Labels come from models, tasks and people: they are drawn as they are, and never read as formulas.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from textwrap import wrap
from typing import Any

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FixedLocator, FuncFormatter
from rich.cells import cell_len

BLACK, GREY, ORANGE, SKY, GREEN, BLUE, VERMILLION, PURPLE = (
    "#000000", "#737373", "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7",
)  # fmt: skip
"""Okabe and Ito's: told apart by people with any kind of colour vision."""

DIVERGING = "RdBu_r"
"""Centred at zero, and safe for the colour-blind."""

_SETTINGS: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#4d4d4d",
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "font.size": 9,
    "grid.color": "#e8e8e8",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "figure.dpi": 160,
    "savefig.dpi": "figure",
    "svg.fonttype": "none",
    "svg.hashsalt": "circuitstore",
    "text.parse_math": False,
    "xtick.color": "#4d4d4d",
    "xtick.labelcolor": BLACK,
    "ytick.color": "#4d4d4d",
    "ytick.labelcolor": BLACK,
}


@contextmanager
def styled() -> Iterator[None]:
    """Within it, figures are made, and saved. What matplotlib was set to before comes back."""
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)  # a box stands for it
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        yield


_TITLE, _SMALL, _MARGIN, _LEGEND_ROW = 0.26, 0.16, 0.1, 0.21
"""Heights of a line of the title, of the small print and of a legend, and what stays free around, in inches."""


def new_figure(width: float, height: float, title: str, note: str, legend_rows: int = 0) -> Figure:
    """width, height: of what is drawn, in inches; title, legend and note, the small print below, come on top of it."""
    titles, notes = wrap(title, int(width * 9)), wrap(note, int(width * 15))
    above = _TITLE * len(titles) + _LEGEND_ROW * legend_rows + 1.5 * _MARGIN
    below = _SMALL * len(notes) + 1.5 * _MARGIN
    whole = height + above + below
    figure = Figure(figsize=(width, whole), layout="constrained")
    engine = figure.get_layout_engine()
    assert isinstance(engine, ConstrainedLayoutEngine)
    engine.set(w_pad=_MARGIN, h_pad=_MARGIN / 2, wspace=0.04, rect=(0, below / whole, 1, height / whole))
    left, top = _MARGIN / width, 1 - _MARGIN / whole
    figure.text(left, top, "\n".join(titles), va="top", fontsize=12, fontweight="bold")
    figure.text(left, _MARGIN / whole, "\n".join(notes), va="bottom", fontsize=8, color=GREY, linespacing=1.25)
    return figure


def laid_out(figure: Figure) -> Figure:
    """The figure with everything in its place, which it keeps: text can be measured, and saving takes less time."""
    if figure.get_layout_engine() is not None:
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
    return figure


def add_legend(figure: Figure, handles: Mapping[str, Artist], columns: int) -> None:
    """Below the title, in the rows that `new_figure` was asked for."""
    height = figure.get_size_inches()[1]
    lines = figure.texts[0].get_text().count("\n") + 1
    top = 1 - (_TITLE * lines + _MARGIN) / height
    figure.legend(
        list(handles.values()), list(handles), loc="upper left", bbox_to_anchor=(0, top), ncols=columns,
        borderaxespad=0.3, labelspacing=0.35, fontsize=8.5,
    )  # fmt: skip


def shown(text: str, width: int = 40) -> str:
    """A label as it stands, in at most `width` columns; what can't be printed is written as Python would."""
    line = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    while cell_len(line) > width:
        line = line.rstrip("…")[:-1] + "…"
    return line


def number(value: float | None) -> str:
    """Three digits, a real minus; – for what is not defined."""
    return "–" if value is None else f"{value:.3g}".replace("-", "−")


def two_decimals(value: float) -> str:
    """Two decimals, and no minus before 0."""
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


def plain_numbers(axes: Axes, which: str) -> None:
    """Tick labels as plain numbers on axis x or y. Those of matplotlib's logarithmic axes are formulas."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", "−")))


def sizes_axis(axes: Axes, largest: int) -> None:
    """An x axis of numbers of nodes or edges: 0, the empty circuit, and logarithmic from 1 on."""
    axes.set_xscale("symlog", linthresh=1, linscale=0.4)
    steps = (1, 2, 5) if largest <= 100 else (1, 3) if largest <= 1000 else (1,)
    ticks = [0, *(step * 10**power for power in range(10) for step in steps)]
    axes.xaxis.set_major_locator(FixedLocator([tick for tick in ticks if tick <= largest]))
    axes.xaxis.set_minor_locator(FixedLocator([]))
    axes.set_xlim(-0.12, largest * 1.15)
    plain_numbers(axes, "x")


_MOST_NAMES = 60


def categories(axes: Axes, which: str, labels: Sequence[str], slanted: bool = False) -> None:
    """Names along axis x or y at 0, 1, 2 …; where they are too many to be read, only every few."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    step = -(-len(labels) // _MOST_NAMES)
    axis.set_ticks(range(0, len(labels), step), labels[::step])
    axis.set_tick_params(length=0)
    if slanted:
        for label in axis.get_ticklabels():
            label.set(rotation=35, ha="right", rotation_mode="anchor")
