"""MIB circuits: the real file, and files that are wrong."""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.formats import mib
from ingest.formats.format import Source, Tables
from store.bundle import write_bundle
from store.database import Store
from store.errors import ImportFormatError, UsageError
from tests.graphs import random_tables

REAL = "circuits/mib-gpt2-ioi-eap-ig.json"


def read(path: Path, model: str = "") -> Tables:
    (tables,) = mib.read(Source(path, path.name, model))
    return tables


def written(tables: Tables) -> Any:
    out = io.BytesIO()
    mib.write(tables, out)
    return json.loads(out.getvalue())


def small(n_layers: int = 2, n_heads: int = 2, *, parallel: bool = False, score: Any = 0.5) -> dict[str, Any]:
    """A graph as EAP-IG makes it: every node reads what all before it write."""
    nodes = {"input": {"in_graph": True}}
    edges: dict[str, dict[str, Any]] = {}

    def reads(target: str, sources: list[str]) -> None:
        for source in sources:
            for letter in ("<q>", "<k>", "<v>") if "h" in target else ("",):
                edges[f"{source}->{target}{letter}"] = {"score": score, "in_graph": len(edges) % 3 == 0}

    for layer in range(n_layers):
        heads = [f"a{layer}.h{head}" for head in range(n_heads)]
        before = list(nodes)
        for head in heads:
            reads(head, before)
        reads(f"m{layer}", before if parallel else [*before, *heads])
        nodes |= {name: {"in_graph": name[1:] != "0"} for name in (*heads, f"m{layer}")}
    reads("logits", list(nodes))
    nodes["logits"] = {"in_graph": True}
    cfg = {"n_layers": n_layers, "n_heads": n_heads, "parallel_attn_mlp": parallel, "d_model": 8}
    return {"cfg": cfg, "nodes": nodes, "edges": edges}


def put(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_every_node_and_edge_of_the_real_file_is_stored(store: Store, test_data: Path, tmp_path: Path) -> None:
    content = json.loads((test_data / REAL).read_text())
    tables = read(test_data / REAL, "gpt2")
    store.load(write_bundle(tmp_path / "bundle", tables, {}))
    label = {"token": "input", "metric": "logits"}
    found = {}
    text = ("MATCH (a:CircuitNode)-[r:ATTRIBUTES_TO]->(b:CircuitNode) RETURN a.kind, a.layer, a.`index`, "
            "b.kind, b.layer, b.`index`, r.input, r.weight, r.in_circuit")  # fmt: skip
    for *ends, letter, weight, kept in store.run(text).rows:
        names = [label.get(kind) or (f"m{layer}" if kind == "mlp" else f"a{layer}.h{index}")
                 for kind, layer, index in (ends[:3], ends[3:])]  # fmt: skip
        found["->".join(names) + (f"<{letter}>" if letter else "")] = {"score": weight, "in_graph": kept}
    assert found == content["edges"]
    counts = store.run("MATCH (n:CircuitNode) RETURN count(n), count(CASE WHEN n.in_circuit THEN 1 END)").rows
    assert counts == [[len(content["nodes"]), sum(node["in_graph"] for node in content["nodes"].values())]]
    (circuit,) = store.run("MATCH (c:Circuit)-[:OF_MODEL]->(m) RETURN c.uid, m.name, m.n_layers, m.d_model").rows
    assert circuit[1:] == ["gpt2", 12, 768]


def test_the_real_file_comes_out_as_it_went_in(test_data: Path) -> None:
    out = written(read(test_data / REAL))
    content = json.loads((test_data / REAL).read_text())
    assert {key: out[key] for key in content} == content
    assert list(out["nodes"]) == list(content["nodes"])


@settings(max_examples=30)
@given(
    n_layers=st.integers(1, 3),
    n_heads=st.integers(1, 3),
    parallel=st.booleans(),
    scores=st.lists(st.floats(-1000, 1000), min_size=1),
)
def test_import_export_import_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, n_layers: int, n_heads: int, parallel: bool, scores: list[float]
) -> None:
    folder = tmp_path_factory.mktemp("mib")
    content = small(n_layers, n_heads, parallel=parallel)
    for number, edge in enumerate(content["edges"].values()):
        edge["score"] = scores[number % len(scores)]
    for number, node in enumerate(content["nodes"].values()):
        if number % 2:
            node["score"] = scores[number % len(scores)]
    first = write_bundle(folder / "a", read(put(folder / "one.json", content), "m"), {})
    out = written({name: first.table(name) for name in first.manifest.tables})
    assert {key: out[key] for key in content} == content
    second = write_bundle(folder / "b", read(put(folder / "another-name.json", out)), {})
    assert first.uid == second.uid


def _edge(name: str, **edge: Any) -> Callable[[dict[str, Any]], None]:
    return lambda content: content["edges"].update({name: {"score": 1.0, "in_graph": True, **edge}})


def _node(name: str, **node: Any) -> Callable[[dict[str, Any]], None]:
    return lambda content: content["nodes"].update({name: {"in_graph": True, **node}})


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda content: content.pop("cfg"), "cfg is missing"),
        (lambda content: content.update(nodes=[]), "nodes is no object"),
        (lambda content: content.update(more=1), "the key 'more' is none of a MIB circuit"),
        (lambda content: content["cfg"].pop("n_heads"), "cfg.n_heads is missing; it must be a positive integer"),
        (lambda content: content["cfg"].update(n_layers=0), "cfg.n_layers is 0; it must be a positive integer"),
        (lambda content: content["nodes"].pop("m0"), "nodes has no 'm0'; add the node or remove the edge"),
        (_node("m2"), "nodes['m2'] is no node of a model of 2 layers with 2 heads"),
        (_node("a0.h2"), "nodes['a0.h2'] is no node"),
        (_node("m01"), "nodes['m01'] is no node"),
        (_node("m1", in_graph=1), "nodes['m1'].in_graph is 1; it must be true or false"),
        (_node("m1", score="1"), "nodes['m1'].score is \"1\"; it must be a number"),
        (_node("m1", neurons=[True]), "nodes['m1'].neurons: single neurons have no place in the store"),
        (_node("m1", colour="red"), "nodes['m1'].colour: what this means is not known"),
        (_edge("m1->m0"), "edges['m1->m0']: m0 can't read what m1 writes"),
        (_edge("a0.h0->a0.h1<q>"), "a0.h1 can't read what a0.h0 writes"),
        (_edge("input->m0<q>"), "edges into a head, and no others"),
        (_edge("input->a0.h0"), "edges into a head, and no others"),
        (_edge("input->a0.h0<o>"), "an edge is named source->target"),
        (_edge("input"), "an edge is named source->target"),
        (_edge("input->m0", score=None), "edges['input->m0'].score is missing; it must be a number"),
        (_edge("input->m0", score=True), "edges['input->m0'].score is true; it must be a number"),
        (lambda content: content["edges"].update({"input->m0": 1}), "edges['input->m0'] is 1; it must be an object"),
        (lambda content: content.update(circuitstore=3), "circuitstore is 3"),
    ],
)
def test_a_circuit_that_is_wrong_is_refused_by_the_place(tmp_path: Path, spoil: Any, message: str) -> None:
    content = small()
    spoil(content)
    with pytest.raises(ImportFormatError, match=re.escape(message)) as refused:
        read(put(tmp_path / "c.json", content))
    assert str(refused.value).startswith("c.json: ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (lambda good: good[: len(good) // 2], "truncated"),
        (lambda good: good.replace("0.5", "NaN", 1), "NaN is no JSON number"),
        (lambda good: good.replace("0.5", "-Infinity", 1), "-Infinity is no JSON number"),
        (lambda good: good.replace("0.5", "1e999", 1), "too large a number"),
        (lambda good: good.replace('"m0"', '"m1"', 1), "the key 'm1' stands there twice"),
        (lambda good: good.replace('{"cfg"', '{"edges": {}, "cfg"', 1), "the key 'edges' stands there twice"),
        (lambda good: good.replace('"d_model": 8', '"d_model": ' + "[" * 100_000, 1), "nested more than"),
        (lambda good: good + "{}", "something follows the JSON document"),
        (lambda good: good.encode("utf-16"), "not UTF-8"),
        (lambda good: good.replace("input", "in\udcffput").encode(errors="surrogateescape"), "not UTF-8"),
    ],
)
def test_a_damaged_file_is_refused_by_the_byte(tmp_path: Path, text: Any, message: str) -> None:
    given_ = text(json.dumps(small()))
    (tmp_path / "c.json").write_bytes(given_ if isinstance(given_, bytes) else given_.encode())
    with pytest.raises(ImportFormatError, match=re.escape(message)) as refused:
        read(tmp_path / "c.json")
    assert re.match(r"c\.json: byte [\d,]+: ", str(refused.value))


def test_a_circuit_of_features_is_no_mib_circuit() -> None:
    with pytest.raises(UsageError, match="it knows heads, MLPs, input and logits, and this circuit has a node of kind"):
        written(random_tables(n_circuits=1))
