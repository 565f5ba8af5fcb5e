"""Feature circuits against what torch itself reads of the same file."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.formats import feature_circuits
from ingest.formats.format import Source, Tables
from store.bundle import write_bundle
from store.errors import ImportFormatError
from tests.ingest.formats.feature_circuit_files import SparseAct, circuit, in_its_module, save


def read(path: Path, model: str = "pythia") -> Tables:
    (tables,) = feature_circuits.read(Source(path, path.name, model))
    return tables


def name_of(tables: Tables) -> dict[str, tuple[Any, ...]]:
    """Of each node: submodule, position, index (the number of features for an error)."""
    names: dict[str, tuple[Any, ...]] = {}
    for row in tables["CircuitNode"].to_pylist():
        site = row["uid"].split(":")[3].split("-")[0]
        submodule = "embed" if row["layer"] < 0 else f"{site if site in ('attn', 'mlp') else 'resid'}_{row['layer']}"
        names[row["uid"]] = ("y",) if row["kind"] == "metric" else (submodule, row["position"], row["index"])
    return names


def expected(content: dict[str, Any]) -> tuple[dict[Any, float], dict[Any, float]]:
    """Nodes with an effect or an edge, and edges, read entry by entry from torch's own tensors."""

    def node(submodule: str, place: tuple[int, ...]) -> tuple[Any, ...]:
        *position, index = place
        n = content["nodes"][submodule].act.shape[-1]
        return (submodule, position[0] if position else None, None if index == n else index)

    effects: dict[Any, float] = {}
    for submodule, held in content["nodes"].items():
        for place, value in _entries(torch.cat([held.act, held.resc], -1).to_sparse()):
            effects[node(submodule, place)] = value
    edges: dict[Any, float] = {}
    for up, downs in content["edges"].items():
        for down, tensor in downs.items():
            for place, value in _entries(tensor):
                cut = len(place) - content["nodes"][up].act.dim()
                ends = (node(up, place[cut:]), ("y",) if down == "y" else node(down, place[:cut]))
                edges[ends] = edges.get(ends, 0.0) + value
    for pair in edges:
        for end in pair:
            effects.setdefault(end, 0.0)
    return effects, edges


def _entries(tensor: torch.Tensor) -> list[tuple[tuple[int, ...], float]]:
    indices, values = tensor._indices().T.tolist(), tensor._values().tolist()
    return [(tuple(place), value) for place, value in zip(indices, values, strict=True) if value]


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), by_position=st.booleans(), legacy=st.booleans())
def test_every_effect_and_edge_is_there_once(
    tmp_path_factory: pytest.TempPathFactory, seed: int, by_position: bool, legacy: bool
) -> None:
    folder = tmp_path_factory.mktemp("pt")
    path = save(folder / "rc_train_n100.pt", circuit(by_position, seed), legacy=legacy)
    with in_its_module(SparseAct):
        effects, edges = expected(torch.load(path, weights_only=False))
    tables = read(path)
    names = name_of(tables)
    found = {names[row["uid"]]: row["effect"] for row in tables["CircuitNode"].to_pylist()}
    metric = found.pop(("y",))
    effects.pop(("y",), None)
    assert metric is None
    assert found == effects
    rows = tables["ATTRIBUTES_TO"].to_pylist() if "ATTRIBUTES_TO" in tables else []
    assert {(names[row["source"]], names[row["target"]]): row["weight"] for row in rows} == edges
    assert len(rows) == len(edges)
    write_bundle(folder / "bundle", tables, {})


def test_both_of_torchs_layouts_give_the_same_circuit(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    new, old = (save(tmp_path / part / "c.pt", circuit(), legacy=part == "old") for part in ("", "old"))
    assert read(new)["Circuit"].equals(read(old)["Circuit"])


def test_features_are_latents_of_a_dictionary_a_submodule(tmp_path: Path) -> None:
    tables = read(save(tmp_path / "c.pt", circuit()))
    hooks = {row["hook"]: (row["layer"], row["site"], row["n_features"]) for row in tables["Dictionary"].to_pylist()}
    assert hooks["hook_embed"] == (-1, "resid", 5)
    assert hooks["blocks.1.hook_mlp_out"] == (1, "mlp", 5)
    of = {row["source"]: row["target"] for row in tables["IN_DICTIONARY"].to_pylist()}
    for row in tables["INSTANCE_OF"].to_pylist():
        layer, index = (int(part) for part in row["source"].split(":")[4:6])
        assert row["target"].endswith(f":{index}")
        assert of[row["target"]] == row["target"].removesuffix(f":{index}")
        assert ("embed" if layer < 0 else f"blocks.{layer}.") in of[row["target"]]
    run = json.loads(tables["Run"]["params"][0].as_py())
    assert run["examples"] == [{"clean_prefix": [[1, 2, 3]], "clean_answer": 4, "patch_answer": 5}]


def test_entries_of_one_place_are_summed_and_bfloat16_is_read(tmp_path: Path) -> None:
    content = circuit(by_position=False)
    place, weights = torch.tensor([[0, 0], [1, 1]]), torch.tensor([1.5, 2.0], dtype=torch.bfloat16)
    twice = torch.sparse_coo_tensor(place, weights, (6, 6), check_invariants=True)
    content["edges"] = {"embed": {"resid_0": twice}}
    tables = read(save(tmp_path / "c.pt", content))
    assert tables["ATTRIBUTES_TO"]["weight"].to_pylist() == [3.5]


def _nothing(content: dict[str, Any]) -> None:
    content.clear()


def _no_nodes(content: dict[str, Any]) -> None:
    content["nodes"] = {}


def _nan(content: dict[str, Any]) -> None:
    content["nodes"]["mlp_0"].act[0, 0] = float("nan")


def _infinite_weight(content: dict[str, Any]) -> None:
    content["edges"]["embed"]["mlp_0"] = torch.full((3, 6, 3, 6), float("inf")).to_sparse()


def _unknown_submodule(content: dict[str, Any]) -> None:
    content["nodes"]["ffn_0"] = content["nodes"]["mlp_0"]


def _missing_end(content: dict[str, Any]) -> None:
    del content["nodes"]["attn_0"]


def _wrong_shape(content: dict[str, Any]) -> None:
    content["edges"]["embed"]["mlp_0"] = torch.ones(3, 6, 3, 7).to_sparse()


def _backwards(content: dict[str, Any]) -> None:
    content["edges"]["resid_1"]["mlp_0"] = torch.ones(3, 6, 3, 6).to_sparse()


def _dense(content: dict[str, Any]) -> None:
    content["edges"]["embed"]["mlp_0"] = torch.ones(3, 6, 3, 6)


def _uncontracted(content: dict[str, Any]) -> None:
    content["nodes"]["mlp_0"].res = torch.ones(3, 8)


def _mixed(content: dict[str, Any]) -> None:
    content["nodes"]["mlp_0"] = SparseAct(act=torch.ones(5), resc=torch.ones(1))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_nothing, "it holds no dict with nodes"),
        (_no_nodes, "it must hold submodules"),
        (_nan, "nodes['mlp_0']: an effect is NaN or infinite"),
        (_infinite_weight, "edges['embed']['mlp_0']: a weight is NaN or infinite"),
        (_unknown_submodule, "nodes['ffn_0'] is no submodule"),
        (_missing_end, "nodes has no 'attn_0'"),
        (_wrong_shape, "edges['embed']['mlp_0'] has shape (3, 6, 3, 7); expected is a sparse tensor of shape"),
        (_backwards, "edges['resid_1']['mlp_0']: mlp_0 can't read what resid_1 writes"),
        (_dense, "edges['embed']['mlp_0'] has shape (3, 6, 3, 6); expected is a sparse tensor"),
        (_uncontracted, "nodes['mlp_0']: act and resc must be tensors, and res none"),
        (_mixed, "all by position or none"),
    ],
)
def test_a_circuit_that_is_wrong_is_refused_by_the_place(tmp_path: Path, spoil: Any, message: str) -> None:
    content = circuit()
    spoil(content)
    with pytest.raises(ImportFormatError) as refused:
        read(save(tmp_path / "c.pt", content))
    assert str(refused.value).startswith("c.pt: ")
    assert message in str(refused.value)
