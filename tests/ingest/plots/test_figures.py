"""What stands in a figure is what stands in the bundle."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.testing import assert_allclose

from ingest.agreement import agreement
from ingest.figures import figures_of
from ingest.plots.clusterings import clusterings
from ingest.plots.effects import effects
from ingest.plots.faithfulness import faithfulness
from ingest.plots.matching import matching
from ingest.plots.matrix import matrix
from ingest.plots.predictions import predictions
from ingest.plots.style import shown, styled
from ingest.plots.tables import Tables
from store.bundle import Bundle
from tests.ingest.plots.tables import ablations, altered, circuit, rows_of

LINE = list[tuple[float, float]]


@pytest.fixture(autouse=True)
def _styled() -> Iterator[None]:
    with styled():
        yield


def of_circuit(draw: Any, bundle: Bundle) -> Figure:
    tables = Tables(bundle)
    figure = draw(tables, tables.circuits()[0])
    assert isinstance(figure, Figure)
    return figure


def line(axes: Axes, label: str) -> LINE:
    (found,) = [one for one in axes.lines if one.get_label() == label]
    return [(float(x), float(y)) for x, y in zip(found.get_xdata(), found.get_ydata(), strict=True)]  # type: ignore[arg-type]


def grid_of(axes: Axes) -> Any:
    """What a heat map shows, nan where it shows nothing."""
    shown_values: Any = axes.images[0].get_array()
    return np.ma.filled(shown_values, np.nan)


def test_curves_go_through_the_measured_points_in_the_order_of_size(tmp_path: Path) -> None:
    def row(kind: str, n: int, f: float | None, **more: Any) -> dict[str, Any]:
        return {"kind": kind, "n_nodes": n, "faithfulness": f, **more}

    bundle = altered(
        tmp_path / "b",
        ablations(
            row("faithfulness", 10, 1.1, low=0.9, high=1.3),
            row("faithfulness", 0, 0.0),
            row("faithfulness", 3, 0.4, low=0.3, high=0.5),
            row("faithfulness", 3, 0.2, baseline="zero"),
            row("completeness", 3, 0.7, low=0.6, high=0.8),
            row("random", 3, 0.1, seed=0),
            row("random", 3, 0.3, seed=1),
            row("faithfulness", 3, 0.6, errors="kept"),
            row("edges", 4, 0.5, n_edges=25),
            row("edges", 2, 0.25, n_edges=12),
            row("minimality", 3, 0.9),
        ),
    )
    figure = of_circuit(faithfulness, bundle)
    ablated, kept, edges = figure.axes
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "Error terms ablated",
        "Error terms kept",
        "Cut to edges, errors ablated",
    ]
    assert line(ablated, "faithfulness mean") == [(0, 0.0), (3, 0.4), (10, 1.1)]
    assert line(ablated, "faithfulness zero") == [(3, 0.2)]
    assert line(ablated, "completeness mean") == [(3, 0.7)]
    assert_allclose(line(ablated, "random"), [(3, 0.2)])
    assert line(kept, "faithfulness mean") == [(3, 0.6)]
    assert line(edges, "edges mean") == [(12, 0.25), (25, 0.5)]
    outlines = [np.asarray(one.get_paths()[0].vertices).round(6).tolist() for one in ablated.collections]
    bands = [{(x, y) for x, y in outline} for outline in outlines]
    assert any({(10, 0.9), (10, 1.3), (3, 0.3), (3, 0.5), (0, 0.0)} <= band for band in bands)
    assert any({(3, 0.1), (3, 0.3)} <= band for band in bands)
    low, high = ablated.get_ylim()
    assert low < 0
    assert high > 1.3


def test_where_faithfulness_is_not_defined_the_panel_says_so_and_draws_no_curve(tmp_path: Path) -> None:
    undefined = {"kind": "faithfulness", "faithfulness": None}
    defined = {"kind": "faithfulness", "faithfulness": 0.5, "errors": "kept"}
    ablated, kept = of_circuit(faithfulness, altered(tmp_path / "b", ablations(undefined, defined))).axes
    assert "not defined" in ablated.texts[0].get_text()
    assert [one.get_label() for one in ablated.lines if not str(one.get_label()).startswith("_")] == []
    assert line(kept, "faithfulness mean") == [(1, 0.5)]
    assert not kept.texts


def test_a_curve_that_explodes_does_not_flatten_the_others(tmp_path: Path) -> None:
    rows = [{"kind": "faithfulness", "n_nodes": n, "faithfulness": f} for n, f in ((1, 0.5), (2, -4e7))]
    figure = of_circuit(faithfulness, altered(tmp_path / "b", ablations(*rows)))
    assert "out of sight" in figure.texts[1].get_text().replace("\n", " ")
    (axes,) = figure.axes
    low, high = axes.get_ylim()
    assert -2 < low < 0
    assert 1 < high < 3


def test_every_observed_node_and_edge_is_a_point_beside_its_agreement(tmp_path: Path) -> None:
    bundle = altered(tmp_path / "b")
    nodes = [row for row in rows_of("CircuitNode") if None not in (row["effect"], row["observed_effect"])]
    edges = [row for row in rows_of("ATTRIBUTES_TO") if row["observed"] is not None]
    wanted = [
        [(row["effect"], row["observed_effect"]) for row in nodes],
        [(row["weight"], row["observed"]) for row in edges],
    ]
    for axes, pairs in zip(of_circuit(predictions, bundle).axes, wanted, strict=True):
        drawn = np.concatenate([np.asarray(one.get_offsets()) for one in axes.collections])
        assert_allclose(sorted(map(tuple, drawn)), sorted(pairs))
        told = agreement([p for p, _ in pairs], [o for _, o in pairs], whole=-3.0)
        assert told.pearson is not None
        assert told.slope is not None
        text = axes.texts[0].get_text().replace("−", "-")
        assert f"r {told.pearson:.3g}\nslope {told.slope:.3g}\nsign right {told.sign:.0%}" == text


@pytest.mark.parametrize("unknown", ["clean_metric", "patch_metric"])
def test_a_metric_that_is_not_known_is_no_zero(unknown: str, tmp_path: Path) -> None:
    bundle = altered(tmp_path / "b", {"Circuit": [circuit() | {unknown: None}]})
    for axes in of_circuit(predictions, bundle).axes:
        assert axes.texts[0].get_text().endswith("\nsign right –")
    names = {name for name, _, _ in figures_of(bundle)}
    assert "evidence/nodes/r" in names
    assert "evidence/nodes/sign right" not in names


def test_nodes_without_edges_and_one_node_alone_are_drawn(tmp_path: Path) -> None:
    nodes = rows_of("CircuitNode")
    for number, node in enumerate(nodes):
        node["observed_effect"] = 0.5 if number == 5 else None
    edges = [row | {"observed": None} for row in rows_of("ATTRIBUTES_TO")]
    figure = of_circuit(predictions, altered(tmp_path / "b", {"CircuitNode": nodes, "ATTRIBUTES_TO": edges}))
    (axes,) = figure.axes
    assert axes.get_title(loc="left") == "Nodes (1)"
    assert "r –" in axes.texts[0].get_text()


def test_cells_hold_the_summed_effects_of_a_layer_and_position(tmp_path: Path) -> None:
    sums: dict[tuple[str, int, int], float] = defaultdict(float)
    for node in rows_of("CircuitNode", n_nodes=60):
        if node["kind"] in ("feature", "error") and node["effect"] is not None:
            sums[node["kind"], node["layer"], node["position"]] += node["effect"]
    figure = of_circuit(effects, altered(tmp_path / "b", n_nodes=60))
    layers = sorted({layer for _, layer, _ in sums})
    positions = sorted({position for _, _, position in sums})
    for axes, kind in zip(figure.axes, ("feature", "error"), strict=False):
        grid = grid_of(axes)
        wanted = [[sums.get((kind, layer, position), np.nan) for position in positions] for layer in layers]
        assert_allclose(grid, wanted)
        assert axes.images[0].norm.vmin == pytest.approx(-axes.images[0].norm.vmax)  # type: ignore[operator]
        low, high = axes.get_ylim()
        assert low < high  # the last layer is on top
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [str(layer) for layer in layers]
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == [f"t{p}" for p in positions]


def test_dictionaries_of_one_layer_are_rows_of_their_own_in_the_order_of_depth(tmp_path: Path) -> None:
    nodes = rows_of("CircuitNode")
    uid, old = circuit()["uid"], [node["uid"] for node in nodes]
    first = next(n for n, node in enumerate(nodes) if node["kind"] == "error" and node["layer"] == 2)
    nodes[first]["uid"] = f"{uid}:mlp-error:2:_:1"
    new = dict(zip(old, (node["uid"] for node in nodes), strict=True))
    renamed = {
        name: [row | {end: new.get(row[end], row[end]) for end in ("source", "target")} for row in rows_of(name)]
        for name in ("IN_CIRCUIT", "ATTRIBUTES_TO")
    }
    figure = of_circuit(effects, altered(tmp_path / "b", {"CircuitNode": nodes, **renamed}))
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["0", "1", "2 mlp", "2", "3"]


def test_circuits_without_positions_have_one_column(tmp_path: Path) -> None:
    nodes = [row | {"position": None, "token": None} for row in rows_of("CircuitNode")]
    bundle = altered(tmp_path / "b", {"CircuitNode": nodes})
    axes = of_circuit(effects, bundle).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["no position"]
    assert of_circuit(predictions, bundle)


def test_the_matrix_holds_what_each_task_loses(tmp_path: Path) -> None:
    features = [row["uid"] for row in rows_of("Feature")[:2]]
    bundle = altered(
        tmp_path / "b",
        ablations(
            {"kind": "feature", "errors": "kept", "ablated": features[0], "faithfulness": 0.9},
            {"kind": "feature", "errors": "kept", "ablated": features[1], "faithfulness": None},
            {"kind": "circuit", "errors": "kept", "ablated": circuit()["uid"], "faithfulness": 0.25},
            {"kind": "steering", "errors": "kept", "ablated": features[0], "faithfulness": 3.0, "factor": 2.0},
        ),
    )
    figure = matrix(Tables(bundle))
    assert figure is not None
    axes = figure.axes[0]
    grid = grid_of(axes)
    assert_allclose(grid, [[0.75], [0.1], [np.nan]])
    assert [text.get_text() for text in axes.texts] == ["0.75", "0.10", "–"]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names[0] == f"circuit {circuit()['name']}"
    assert names[1].startswith(":".join(map(str, (rows_of("Feature")[0]["layer"], rows_of("Feature")[0]["index"]))))


def test_lines_of_matching_hold_the_figures_of_each_pair(tmp_path: Path) -> None:
    def row(layer: int, method: str, **figures: float) -> dict[str, Any]:
        ends = {"source": f"toy-model:blocks.{layer}.hook_resid_post"}
        ends["target"] = f"toy-model:blocks.{layer + 1}.hook_resid_post"
        return {**ends, "method": method, "n_matches": 3, **figures}

    rows = [
        row(1, "sae_match", confirmed=0.8, control_confirmed=0.2, own_explained_variance=0.9, explained_variance=0.5),
        row(0, "sae_match", confirmed=0.7, control_confirmed=0.1, random_explained_variance=-40.0),
        row(0, "feature_flow", confirmed=0.6, same_as_sae_match=0.3),
        row(0, "_other", confirmed=0.5),
    ]
    rows[1]["same_as_feature_flow"] = 0.3
    figure = matching(Tables(altered(tmp_path / "b", {"MATCHED": rows}, analyses=True)))
    assert figure is not None
    confirmed, same, explained = figure.axes
    assert line(confirmed, "SAE Match") == [(0, 0.7), (1, 0.8)]
    assert line(confirmed, "SAE Match, chance") == [(0, 0.1), (1, 0.2)]
    assert line(confirmed, "feature flow") == [(0, 0.6)]
    assert line(confirmed, "method _other") == [(0, 0.5)]
    assert line(same, "SAE Match – feature flow") == [(0, 0.3)]
    assert line(explained, "SAE Match") == [(1, 0.5)]
    assert line(explained, "the later dictionary itself") == [(1, 0.9)]
    assert explained.get_ylim()[0] > -1.5
    assert "out of sight" in figure.texts[1].get_text().replace("\n", " ")  # where random matches are
    legend = confirmed.get_legend()
    assert legend is not None
    assert "method _other" in [text.get_text() for text in legend.get_texts()]


def test_the_table_has_a_row_for_each_clustering_and_marks_the_best(tmp_path: Path) -> None:
    def row(uid: str, method: str, stability: float | None) -> dict[str, Any]:
        return {
            "uid": uid,
            "method": method,
            "basis": "decoder",
            "stability": stability,
            "n_clusters": 2,
            "sizes": "7 5",
        }

    rows = [row("clustering:1", "k-means", 0.25), row("clustering:2", "leiden", 0.75), row("clustering:3", "_x", None)]
    changes = {"Clustering": rows, "PRODUCED_BY.Clustering-Run": []}
    figure = clusterings(Tables(altered(tmp_path / "b", changes, analyses=True)))
    assert figure is not None
    texts = [(text.get_text(), text.get_fontweight()) for text in figure.axes[0].texts[9:]]
    assert [text for text, _ in texts[::9]] == ["decoder"] * 3
    assert [text for text, _ in texts[1::9]] == ["leiden", "k-means", "_x"]
    assert texts[7::9] == [("0.75", "bold"), ("0.25", "normal"), ("–", "normal")]
    assert texts[8][0] == "7 5"


def test_there_is_no_figure_where_a_bundle_holds_nothing_of_the_kind(tmp_path: Path) -> None:
    nodes = [row | {"observed_effect": None, "effect": None} for row in rows_of("CircuitNode")]
    edges = [row | {"observed": None} for row in rows_of("ATTRIBUTES_TO")]
    bundle = altered(tmp_path / "b", {**ablations(), "CircuitNode": nodes, "ATTRIBUTES_TO": edges})
    tables = Tables(bundle)
    for of_circuits in (faithfulness, predictions, effects):
        assert of_circuits(tables, tables.circuits()[0]) is None
    for of_bundle in (matrix, matching, clusterings):
        assert of_bundle(tables) is None


def test_a_huge_circuit_gives_a_figure_of_a_size_that_can_be_looked_at(tmp_path: Path) -> None:
    shape: dict[str, Any] = {"n_nodes": 4000, "n_edges": 3000, "n_features": 5, "n_layers": 60}
    bundle = altered(tmp_path / "b", **shape)
    for draw in (faithfulness, predictions, effects):
        figure = of_circuit(draw, bundle)
        assert max(figure.get_size_inches()) < 40
        for axes in figure.axes:
            assert len(axes.get_xticklabels()) <= 60


def test_labels_are_cut_to_the_columns_that_they_take_and_show_what_cannot_be_printed() -> None:
    assert shown("a\nb\x00\u202e") == "a\\nb\\x00\\u202e"
    assert shown("$x_1$ <b> _", 40) == "$x_1$ <b> _"
    assert shown("abcdef", 4) == "abc…"
    assert shown("字字字字", 5) == "字字…"
    assert shown("", 4) == ""
