"""The clusterings of a bundle, side by side, as a table."""

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from ingest.plots.style import BLACK, GREY, SKY, new_figure, shown, two_decimals
from ingest.plots.tables import Row, Tables

_MOST_ROWS = 60
_COLUMNS = {
    "basis": (0.0, "left"),
    "method": (2.0, "left"),
    "clusters": (3.75, "right"),
    "features": (4.65, "right"),
    "left out": (5.45, "right"),
    "silhouette": (6.5, "right"),
    "modularity": (7.6, "right"),
    "stability": (8.55, "right"),
    "sizes": (8.95, "left"),
}
"""Where each stands, in inches, and on which side its text is flush."""
_WIDTH, _ROW = 10.8, 0.25
_QUALITY = ("silhouette", "modularity", "stability")
_SHADES = LinearSegmentedColormap.from_list("shades", ["#ffffff", SKY])


def clusterings(tables: Tables) -> Figure | None:
    """A row for each, the best of each figure in bold; None where there is none."""
    every = tables.rows("Clustering")
    if not every:
        return None
    every.sort(key=lambda row: (row["basis"] or "", -(row["stability"] or -2.0), row["method"], row["uid"]))
    rows = every[:_MOST_ROWS]
    note = (
        "Silhouette: on its basis, −1 to 1. Modularity: on the attribution graph. Stability: adjusted Rand index under "
        "resampling, 1 is ideal. The darker, the better within its column; bold: the best. –: not defined."
    )
    if len(rows) < len(every):
        note += f" The first {len(rows)} of {len(every)}."
    figure = new_figure(_WIDTH + 0.6, 0.3 + _ROW * (len(rows) + 1), "Clusterings of features", note)
    axes = figure.subplots()
    axes.set(xlim=(-0.1, _WIDTH), ylim=(len(rows), -1.0))
    axes.axis("off")
    for name, (x, side) in _COLUMNS.items():
        axes.text(x, -0.5, name, ha=side, va="center", fontweight="bold")
    axes.axhline(0, color=BLACK, linewidth=1)
    _shade(axes, rows)
    best = {name: max((row[name] for row in rows if row[name] is not None), default=None) for name in _QUALITY}
    for at, row in enumerate(rows):
        if at and row["basis"] != rows[at - 1]["basis"]:
            axes.axhline(at, color=GREY, linewidth=0.5)
        for name, text in _cells(row).items():
            x, side = _COLUMNS[name]
            bold = name in _QUALITY and row[name] is not None and row[name] == best[name]
            axes.text(x, at + 0.5, text, ha=side, va="center", fontweight="bold" if bold else "normal")
    return figure


def _cells(row: Row) -> dict[str, str]:
    counts = {"clusters": "n_clusters", "features": "n_features", "left out": "left_out"}
    return {
        "basis": shown(row["basis"] or "–", 24),
        "method": shown(row["method"], 14),
        **{name: "–" if row[column] is None else str(row[column]) for name, column in counts.items()},
        **{name: "–" if row[name] is None else two_decimals(row[name]) for name in _QUALITY},
        "sizes": shown(row["sizes"] or "–", 28),
    }


def _shade(axes: Axes, rows: list[Row]) -> None:
    for name in _QUALITY:
        right = _COLUMNS[name][0] + 0.1
        known = [row[name] for row in rows if row[name] is not None]
        for at, row in enumerate(rows):
            if row[name] is not None and len(known) > 1:
                depth = (row[name] - min(known)) / ((max(known) - min(known)) or 1.0)
                axes.axhspan(at, at + 1, (right - 0.85 + 0.1) / (_WIDTH + 0.1), (right + 0.1) / (_WIDTH + 0.1),
                             color=_SHADES(0.75 * depth), linewidth=0, zorder=0)  # fmt: skip
