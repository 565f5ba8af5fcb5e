"""What each task loses where a feature, a circuit or a cluster is ablated: what tasks share, and what they don't."""

from collections import Counter
from collections.abc import Callable

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from ingest.plots.style import BLACK, DIVERGING, GREY, categories, new_figure, shown, two_decimals
from ingest.plots.tables import Row, Tables

_KINDS = ("circuit", "cluster", "feature")
_MOST_ROWS = 60


def matrix(tables: Tables) -> Figure | None:
    """Rows are what was ablated, columns the tasks; None where nothing was ablated in whole models."""
    circuits = {circuit["uid"]: circuit for circuit in tables.rows("Circuit")}
    tested = tables.targets("TESTS")
    lost: dict[tuple[str, str], dict[str, float | None]] = {}
    for row in tables.rows("Ablation"):
        if row["kind"] in _KINDS and row["ablated"] and tested.get(row["uid"]) in circuits:
            share = None if row["faithfulness"] is None else 1 - row["faithfulness"]
            lost.setdefault((row["kind"], row["ablated"]), {})[tested[row["uid"]]] = share
    if not lost:
        return None
    columns = sorted({circuit for shares in lost.values() for circuit in shares})
    strongest = sorted(lost, key=lambda group: -max((abs(x) for x in lost[group].values() if x is not None), default=0))
    kept = strongest[:_MOST_ROWS]
    rows = sorted(kept, key=lambda group: (_KINDS.index(group[0]), kept.index(group)))
    grid = np.array([[lost[group].get(column) for column in columns] for group in rows], dtype=float)
    names = _names(tables, circuits)
    note = (
        "Rows: all features of a circuit; clusters, by method, basis and name; single features, by layer and index. "
        "1: the task loses its whole metric, as with every feature ablated; 0: nothing; below 0: the metric grows. "
        "Features are set to their mean, error terms kept. –: not defined, or not measured."
    )
    if len(lost) > len(rows):
        note += f" The {len(rows)} that do most, of {len(lost)}."
    figure = new_figure(
        min(4.6 + 0.85 * len(columns), 20), 1.5 + 0.27 * len(rows), "Share of the metric lost by ablation", note
    )
    axes = figure.subplots()
    image = axes.imshow(np.ma.masked_invalid(grid), DIVERGING, Normalize(-1, 1), aspect="auto")
    axes.grid(False)
    titles = [circuits[column]["name"] for column in columns]
    twice = Counter(titles)
    titles = [shown(t if twice[t] == 1 else f"{t} {u[-8:]}", 26) for t, u in zip(titles, columns, strict=True)]
    categories(axes, "x", titles, slanted=True)
    categories(axes, "y", [names(*group) for group in rows])
    axes.set_xlabel("measured on")
    for (at, column), value in np.ndenumerate(grid):
        text = two_decimals(value) if np.isfinite(value) else "–"
        colour = "white" if abs(value) > 0.65 else BLACK if np.isfinite(value) else GREY
        axes.text(column, at, text, ha="center", va="center", color=colour, fontsize=7.5)
    for at in range(1, len(rows)):
        if rows[at][0] != rows[at - 1][0]:
            axes.axhline(at - 0.5, color=BLACK, linewidth=1)
    known = grid[np.isfinite(grid)]
    beyond = bool((known < -1).any()), bool((known > 1).any())
    extend = {(True, True): "both", (True, False): "min", (False, True): "max"}.get(beyond, "neither")
    figure.colorbar(image, ax=axes, label="share of the metric lost", extend=extend, fraction=0.05, aspect=25)
    return figure


def _names(tables: Tables, circuits: dict[str, Row]) -> Callable[[str, str], str]:
    """Names what was ablated, by its kind and uid."""
    features = {row["uid"]: row for row in tables.rows("Feature")}
    clusters = {row["uid"]: row for row in tables.rows("Cluster")}

    def name(kind: str, uid: str) -> str:
        if kind == "circuit":
            return shown(f"circuit {circuits[uid]['name'] if uid in circuits else uid}", 46)
        if kind == "cluster":
            method = " ".join(uid.split(":")[2:4])
            said = clusters[uid]["name"] if uid in clusters else ""
            return shown(f"{method}: {said}" if said else f"cluster {uid}", 46)
        feature = features.get(uid)
        if feature is None:
            return shown(f"feature {uid}", 46)
        about = feature["label"] or " ".join(token.strip() for token in feature["top_tokens"] or [])
        return shown(f"{feature['layer']}:{feature['index']} {about}", 46)

    return name
