"""GraphML: what NetworkX reads of it, the round trip, and files that are wrong or hostile."""

import io
import re
import time
from pathlib import Path
from typing import Any

import networkx as nx
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.formats import graphml
from ingest.formats.assembly import assembled
from ingest.formats.disassembly import disassembled
from ingest.formats.foreign import ForeignCircuit, ForeignDictionary, Group, Grouping
from ingest.formats.format import Source, Tables
from ingest.formats.graphml import reading, writing
from store.bundle import write_bundle
from store.errors import ImportFormatError
from tests.graphs import random_tables

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]))
NUMBER = st.floats(allow_nan=False, allow_infinity=False)


def read(path: Path, model: str = "") -> Tables:
    (tables,) = reading.read(Source(path, path.name, model))
    return tables


def written(tables: Tables) -> bytes:
    out = io.BytesIO()
    writing.write(tables, out)
    return out.getvalue()


@st.composite
def circuits(draw: st.DrawFn) -> ForeignCircuit:
    """Any circuit of features, with whatever a foreign circuit may have."""
    n = draw(st.integers(2, 8))
    hooks = [f"blocks.{layer}.hook_resid_post" for layer in range(n)]
    pairs = draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), unique=True, max_size=12))
    edges = [(source, target, draw(NUMBER) % 1000, draw(st.sampled_from([None, "q", "k"])))
             for source, target in pairs if source < target]  # fmt: skip
    columns = list(zip(*edges, strict=True)) or [(), (), (), ()]
    tokens = draw(st.none() | st.lists(TEXT, max_size=4))
    group = Group(draw(TEXT), draw(st.lists(st.integers(0, n - 1), unique=True, min_size=1)))
    return ForeignCircuit(
        name=draw(TEXT.filter(bool)),
        method=draw(TEXT.filter(bool)),
        model={"name": draw(TEXT.filter(bool)), "n_layers": n},
        nodes=pa.table(
            {
                "kind": ["feature"] * n,
                "layer": pa.array(range(n), pa.int64()),
                "index": pa.array(draw(st.lists(st.integers(0, 2**40), min_size=n, max_size=n)), pa.int64()),
                "token": pa.array(draw(st.lists(st.none() | TEXT, min_size=n, max_size=n)), pa.string()),
                "effect": pa.array(draw(st.lists(st.none() | NUMBER, min_size=n, max_size=n)), pa.float64()),
                "in_circuit": pa.array(draw(st.lists(st.none() | st.booleans(), min_size=n, max_size=n)), pa.bool_()),
                "dictionary": pa.array(range(n), pa.int32()),
            }
        ),
        edges=pa.table(
            {
                "source": pa.array(columns[0], pa.int32()),
                "target": pa.array(columns[1], pa.int32()),
                "weight": pa.array(columns[2], pa.float64()),
                "input": pa.array(columns[3], pa.string()),
            }
        ),
        dictionaries=[
            ForeignDictionary(
                {"hook": hook, "layer": layer, "site": "resid"}, draw(st.sampled_from(["", "gemma-scope"]))
            )
            for layer, hook in enumerate(hooks)
        ],
        prompt=None if tokens is None else ("".join(tokens), tokens),
        task=draw(st.none() | st.just({"name": "ioi", "metric": "logit difference", "n_pairs": 3, "sha256": "0" * 64})),
        circuit=draw(st.sampled_from([{}, {"thresholds": '{"a": 1}', "clean_metric": 1.5}])),
        groupings=draw(st.sampled_from([[], [Grouping("supernodes", [group])]])),
    )


@settings(max_examples=100)
@given(circuit=circuits())
def test_import_export_import_is_the_same(tmp_path_factory: pytest.TempPathFactory, circuit: ForeignCircuit) -> None:
    folder = tmp_path_factory.mktemp("graphml")
    first = assembled(circuit)
    (folder / "c.graphml").write_bytes(written(first))
    second = read(folder / "c.graphml")
    assert write_bundle(folder / "a", first, {}).uid == write_bundle(folder / "b", second, {}).uid
    assert written(second) == written(first)


@settings(max_examples=50)
@given(circuit=circuits())
def test_networkx_reads_every_node_and_edge(circuit: ForeignCircuit) -> None:
    tables = assembled(circuit)
    graph = nx.read_graphml(io.BytesIO(written(tables)), force_multigraph=True)
    uid = tables["Circuit"]["uid"][0].as_py()
    assert graph.is_directed()
    assert graph.number_of_nodes() == circuit.nodes.num_rows
    for row in tables["CircuitNode"].to_pylist():
        data = graph.nodes[row["uid"].removeprefix(f"{uid}:")]
        for name in ("kind", "layer", "index", "effect", "in_circuit"):
            assert data.get(name) == row[name]
    rows = tables["ATTRIBUTES_TO"].to_pylist() if "ATTRIBUTES_TO" in tables else []
    wanted = sorted((*(row[end].removeprefix(f"{uid}:") for end in ("source", "target")), row["weight"],
                     row["input"] or "") for row in rows)  # fmt: skip
    found = sorted((source, target, data["weight"], data.get("input", ""))
                   for source, target, data in graph.edges(data=True))  # fmt: skip
    assert found == wanted


@pytest.mark.parametrize("seed", range(5))
def test_a_computed_circuit_keeps_all_that_graphml_has_a_place_for(tmp_path: Path, seed: int) -> None:
    tables = random_tables(seed, n_circuits=1)
    (tmp_path / "c.graphml").write_bytes(written(tables))
    found = disassembled(read(tmp_path / "c.graphml"))
    assert _sorted(found.nodes) == _sorted(disassembled(tables).nodes)
    for name in ("name", "method", "circuit", "model", "run"):
        assert getattr(found, name) == getattr(disassembled(tables), name)


def _sorted(nodes: pa.Table) -> list[dict[str, Any]]:
    """What it says, in one order; dictionaries may have other numbers."""
    rows = [{key: value for key, value in row.items() if key != "dictionary"} for row in nodes.to_pylist()]
    return sorted(rows, key=lambda row: [str(row[key]) for key in ("kind", "layer", "index", "position")])


def test_what_networkx_wrote_is_read(tmp_path: Path) -> None:
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph(name="hand-made")
    graph.add_node("t", kind="token", layer=-1, position=0, label="Hi <&> there")
    graph.add_node("f", kind="feature", layer=1, index=7, dictionary="blocks.1.hook_mlp_out", part="mlp")
    graph.add_node("h", kind="head", layer=2, index=3)
    graph.add_node("m", kind="metric", layer=3)
    graph.add_edges_from([("t", "f", {"weight": 1.5}), ("f", "h", {"weight": -2.0, "input": "q"}),
                          ("f", "h", {"weight": 0.25, "input": "k"}), ("h", "m", {"weight": 3})])  # fmt: skip
    nx.write_graphml(graph, tmp_path / "toy.graphml")
    tables = read(tmp_path / "toy.graphml", "gpt2")
    write_bundle(tmp_path / "bundle", tables, {})
    assert tables["Circuit"]["name"].to_pylist() == ["hand-made"]
    assert tables["Model"]["uid"].to_pylist() == ["gpt2"]
    assert tables["Feature"]["uid"].to_pylist() == ["gpt2:blocks.1.hook_mlp_out:7"]
    assert sorted(tables["ATTRIBUTES_TO"]["weight"].to_pylist()) == [-2.0, 0.25, 1.5, 3.0]
    assert "Hi <&> there" in tables["CircuitNode"]["label"].to_pylist()


HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="k" for="node" attr.name="kind" attr.type="string"/><key id="l" for="node" attr.name="layer"/>
<key id="w" for="edge" attr.name="weight" attr.type="double"/>
"""
NODES = """<graph edgedefault="directed">
<node id="a"><data key="k">token</data><data key="l">-1</data></node>
<node id="b"><data key="k">metric</data><data key="l">2</data></node>
"""
EDGE = '<edge source="a" target="b"><data key="w">1.5</data></edge>\n'
GOOD = f"{HEAD}{NODES}{EDGE}</graph></graphml>"
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


def test_the_good_file_is_good(tmp_path: Path) -> None:
    (tmp_path / "c.graphml").write_text(GOOD)
    assert read(tmp_path / "c.graphml")["Circuit"]["n_edges"].to_pylist() == [1]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda good: good[:-20], "line 8, column"),
        (lambda good: good[:200], "the XML is damaged, truncated"),
        (lambda good: "<graphml/>", "the file holds no graph"),
        (lambda good: good.replace(">1.5<", ">NaN<"), "line 8: the edge's weight: 'NaN' is not finite"),
        (lambda good: good.replace(">1.5<", ">-inf<"), "line 8: the edge's weight: '-inf' is not finite"),
        (lambda good: good.replace(">1.5<", "><"), "line 8: the edge's weight: could not convert"),
        (lambda good: good.replace('<data key="w">1.5</data>', ""), "line 8: the edge has no weight"),
        (lambda good: good.replace(">2<", ">two<"), "line 7: the node's layer: 'two' is no whole number"),
        (lambda good: good.replace(">2<", f">{2**63}<"), "is no whole number of 64 bits"),
        (lambda good: good.replace(">metric<", ">neuron<"), "line 7: the node 'b' must have a kind (feature,"),
        (lambda good: good.replace('id="b"', 'id="a"'), "line 7: another node has the id 'a'"),
        (lambda good: good.replace('target="b"', 'target="c"'), "line 8: the edge's target: no node has the id 'c'"),
        (lambda good: good.replace(' target="b"', ""), "line 8: the edge has no target"),
        (lambda good: good.replace(EDGE, EDGE * 2), "edge 1 has the ends of edge 0"),
        (lambda good: good.replace('edgedefault="directed"', 'edgedefault="undirected"'), "the graph is undirected"),
        (lambda good: good.replace('target="b"', 'target="b" directed="false"'), "line 8: the edge is undirected"),
        (lambda good: good.replace('attr.name="layer"', 'attr.name="colour"'), "nodes of a circuit have no 'colour'"),
        (lambda good: good.replace('for="edge"', 'for="node"'), "the key 'w' is declared for node and used in edge"),
        (lambda good: good.replace('data key="w"', 'data key="x"'), "no key 'x' is declared"),
        (lambda good: good.replace('id="w"', 'id="k"'), "the key 'k' is declared twice"),
        (lambda good: good.replace("1.5</data>", '1.5</data><data key="w">2</data>'), "the edge has 'weight' twice"),
        (lambda good: good.replace("</graph>", "</graph><graph edgedefault='directed'/>"), "a second graph"),
        (lambda good: good.replace("</graph>", "<hyperedge/></graph>"), "a hyperedge within a graph"),
        (lambda good: good.replace("</graph>", "<x/></graph>"), "an element 'x' has no place"),
        (lambda good: good.replace("UTF-8", "x-none"), "unknown encoding"),
        (lambda good: good.replace("token", "t\udcffken"), "wrongly encoded"),
        (lambda good: good.replace("<graphml", "<!DOCTYPE graphml [" + '<!ENTITY l0 "ha">' + LAUGHS + "]>\n<graphml")
         .replace("token", "&l9;"), "line 2: it declares an entity"),
        (lambda good: good.replace("<graphml", '<!DOCTYPE graphml [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n<graphml')
         .replace("token", "&x;"), "line 2: it declares an entity"),
        (lambda good: good.replace("<graphml", '<!DOCTYPE g [<!ENTITY % x SYSTEM "http://127.0.0.1/x">%x;]>\n<graphml'),
         "line 2: it declares an entity"),
        (lambda good: good.replace("<node", "<desc>" * 100_000 + "<node", 1), "nested more than 64 deep"),
        (lambda good: good.replace("<node", "<node" * 2, 1), "the XML is damaged"),
    ],
)  # fmt: skip
def test_a_file_that_is_wrong_is_refused_by_the_line(tmp_path: Path, spoil: Any, message: str) -> None:
    (tmp_path / "c.graphml").write_bytes(spoil(GOOD).encode(errors="surrogateescape"))
    began = time.monotonic()
    with pytest.raises(ImportFormatError, match=re.escape(message)):
        read(tmp_path / "c.graphml")
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1", "utf-8-sig"])
def test_encodings_that_the_file_declares_are_read(tmp_path: Path, encoding: str) -> None:
    text = GOOD.replace("UTF-8", encoding.removesuffix("-sig")).replace("token", "token").replace('id="a"', 'id="é"')
    (tmp_path / "c.graphml").write_bytes(text.replace('source="a"', 'source="é"').encode(encoding))
    assert read(tmp_path / "c.graphml")["Circuit"]["n_edges"].to_pylist() == [1]
    assert graphml.FORMAT.sniff is not None
    assert graphml.FORMAT.sniff("c.xml", (tmp_path / "c.graphml").read_bytes())


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("model", "{", "the graph's model: "),
        ("model", '{"n_layers": 3}', "its name is missing"),
        ("model", '{"name": "m", "n_layers": "3"}', "its n_layers is no INT64"),
        ("model", '{"name": "m", "uid": "x"}', "a Model has no 'uid'"),
        ("circuit", '{"n_edges": 7}', "a Circuit has no 'n_edges'"),
        ("circuit", '{"clean_metric": NaN}', "NaN is no JSON number"),
        ("run", '{"command": "a", "command": "b"}', "the key 'command' stands there twice"),
        ("prompt", "[]", "it is no JSON object"),
        ("prompt", '{"text": 1, "tokens": []}', "its text is no str"),
        ("task", '{"name": "t"}', "its metric is missing"),
        ("dictionaries", "{}", "it is no JSON list of objects"),
        ("dictionaries", '[{"family": "", "properties": {}}]', "its hook is missing"),
        ("groupings", '[{"method": "m", "groups": [{"name": "g", "members": ["z"], "ambiguous": [false]}]}]',
         "no node has the id 'z'"),
        ("groupings", '[{"method": "m", "groups": [{"name": "g", "members": [1], "ambiguous": []}]}]',
         "a group's members are ids of nodes"),
        ("json:name", "3", "it is no text"),
    ],
)  # fmt: skip
def test_what_the_graph_says_as_json_is_checked(tmp_path: Path, name: str, value: str, message: str) -> None:
    key, data = f'<key id="g" for="graph" attr.name="{name}"/>', f'<data key="g">{value}</data>'
    (tmp_path / "c.graphml").write_text(f"{HEAD}{key}{NODES}{data}{EDGE}</graph></graphml>")
    with pytest.raises(ImportFormatError, match=re.escape(message)):
        read(tmp_path / "c.graphml")


@settings(max_examples=300)
@given(data=st.data())
def test_a_damaged_file_is_refused_or_read_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("graphml") / "c.graphml"
    whole = bytearray(written(assembled(_toy())))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(whole)
    try:
        read(path)
    except ImportFormatError:
        return


def _toy() -> ForeignCircuit:
    return ForeignCircuit(
        name="toy",
        method="by hand",
        model={"name": "m"},
        nodes=pa.table(
            {"kind": ["token", "feature"], "layer": [-1, 0], "index": pa.array([None, 3], pa.int64()),
             "dictionary": pa.array([None, 0], pa.int32())}
        ),
        edges=pa.table({"source": pa.array([0], pa.int32()), "target": pa.array([1], pa.int32()), "weight": [0.5]}),
        dictionaries=[ForeignDictionary({"hook": "blocks.0.hook_resid_post", "layer": 0, "site": "resid"}, "f")],
        prompt=("Hi", ["Hi"]),
        groupings=[Grouping("supernodes", [Group("g", [1])])],
    )  # fmt: skip
