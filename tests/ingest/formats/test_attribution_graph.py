"""Attribution graphs in and out, against what plain Python reads in the same files."""

import json
from collections import Counter, defaultdict
from io import BytesIO
from itertools import pairwise, product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from ingest.formats.importing import import_all
from ingest.formats.registry import FORMATS
from store.bundle import Bundle
from store.database import Store, open_store
from store.export import circuit_tables, completed
from tests.ingest.formats.graphs import Graph, Page, error, feature, graph, graphs, node

Place = tuple[str, int, int | None, int]


def imported(folder: Path, said: Graph | bytes, name: str = "toy.json") -> Bundle:
    file = folder / name
    file.write_bytes(said if isinstance(said, bytes) else json.dumps(said).encode())
    (bundle,) = import_all([str(file)], "auto", folder / "bundles")
    return bundle


def exported(bundle: Bundle) -> bytes:
    out = BytesIO()
    write = FORMATS["attribution-graph"].write
    assert write is not None
    write({name: bundle.table(name) for name in bundle.manifest.tables}, out)
    return out.getvalue()


def places(said: Graph) -> list[Place]:
    """What each node of a file is: kind, layer, index and position. Logits stand in the layer after the last block."""
    top = {int(one["layer"]) - 1 for one in said["nodes"] if one["feature_type"] == "logit"}
    made: list[Place] = []
    for one in said["nodes"]:
        kind, position = one["feature_type"], one["ctx_idx"]
        if kind == "embedding":
            made.append(("token", -1, int(one["node_id"].split("_")[1]), position))
        elif kind == "logit":
            made.append(("logit", *top, one["feature"], position))
        elif "error" in kind:
            made.append(("error", int(one["layer"]), None, position))
        else:
            made.append(("feature", int(one["layer"]), int(one["node_id"].split("_")[1]), position))
    return made


def edges_of(said: Graph) -> Counter[tuple[Place, Place, float, bool | None]]:
    """Every reading of every link that does not run backwards."""
    of_id = defaultdict(list)
    for one, place in zip(said["nodes"], places(said), strict=True):
        of_id[one["node_id"]].append(place)
    found: Counter[tuple[Place, Place, float, bool | None]] = Counter()
    for link in said["links"]:
        ways = list(product(of_id[link["source"]], of_id[link["target"]]))
        possible = [way for way in ways if way[0][1] <= way[1][1] and way[0] != way[1]]
        found.update((*way, link["weight"], True if len(ways) > 1 else None) for way in possible or ways)
    return found


def stored_edges(bundle: Bundle) -> Counter[tuple[Place, Place, float, bool | None]]:
    place = {row["uid"]: (row["kind"], row["layer"], row["index"], row["position"])
             for row in bundle.table("CircuitNode").to_pylist()}  # fmt: skip
    rows = bundle.table("ATTRIBUTES_TO").to_pylist()
    return Counter((place[row["source"]], place[row["target"]], row["weight"], row["ambiguous"]) for row in rows)


def node_of(bundle: Bundle, **wanted: Any) -> dict[str, Any]:
    (row,) = (row for row in bundle.table("CircuitNode").to_pylist() if wanted.items() <= row.items())
    return dict(row)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(graphs())
def test_every_node_and_every_reading_of_every_link_is_there_and_a_round_trip_changes_nothing(said: Graph) -> None:
    with TemporaryDirectory() as name:
        bundle = imported(Path(name), said)
        found = [(r["kind"], r["layer"], r["index"], r["position"]) for r in bundle.table("CircuitNode").to_pylist()]
        assert Counter(found) == Counter(places(said))
        assert stored_edges(bundle) == edges_of(said)
        text = exported(bundle)
        Page.model_validate_json(text)
        assert imported(Path(name), text, "again.json").uid == bundle.uid


def test_real_graphs_come_back_as_they_were(test_data: Path, tmp_path: Path) -> None:
    files = sorted((test_data / "attribution-graphs").glob("*.json"))
    assert len(files) == 20
    for file in files:
        said = json.loads(file.read_text())
        (bundle,) = import_all([str(file)], "auto", tmp_path / "bundles")
        text = exported(bundle)
        back = json.loads(text)
        Page.model_validate_json(text)
        assert back["metadata"] == said["metadata"]
        assert back["qParams"] == said["qParams"]
        for part in ("nodes", "links"):
            # the page's own number of an error node is the newer one; of influences see below
            other = {"jsNodeId": None, "influence": None} if part == "nodes" else {}
            plain = [[one | other for one in either[part]] for either in (said, back)]
            assert Counter(map(repr, map(_sorted, plain[0]))) == Counter(map(repr, map(_sorted, plain[1])))
        assert imported(tmp_path, text, "again.json").uid == bundle.uid


def test_influences_of_real_graphs_are_stored_as_shares_and_come_back_as_running_sums(
    test_data: Path, tmp_path: Path
) -> None:
    for file in sorted((test_data / "attribution-graphs").glob("*.json")):
        said = json.loads(file.read_text())
        (bundle,) = import_all([str(file)], "auto", tmp_path / "bundles")
        back = {
            (one["node_id"], one["feature_type"]): one["influence"] for one in json.loads(exported(bundle))["nodes"]
        }
        pairs = [(one["influence"], back[one["node_id"], one["feature_type"]]) for one in said["nodes"]]
        assert all(after is None for before, after in pairs if before is None)
        sums = sorted(pair for pair in pairs if pair[0] is not None)
        steps = [after - before for before, after in pairwise([0.0, *(before for before, _ in sums)])]
        # before a node was pruned, nothing is lost: the file's 32-bit numbers are multiples of 2^-40
        whole = next(n for n in range(1, len(steps)) if steps[n] > steps[n - 1])
        assert whole > 100
        assert sorted(after for _, after in sums)[:whole] == [before for before, _ in sums[:whole]]
        assert all(abs(before - after) < 0.004 for before, after in sums)  # nodes of equal shares may change places

        stored = [row["influence"] for row in bundle.table("CircuitNode").to_pylist()]
        found = sorted((value for value in stored if value is not None), reverse=True)
        assert found[:whole] == steps[:whole]
        assert 0.78 < sum(found) < 0.801
        assert {row["kind"] for row in bundle.table("CircuitNode").to_pylist() if row["influence"] is None} == {"logit"}


@pytest.mark.parametrize("influences", [(0.5, 0.0, 0.75), (0.5, 1.5, 0.75), (-0.5, 0.5, None)])
def test_influences_that_are_no_running_sums_stay_as_they_are(tmp_path: Path, influences: tuple[float | None]) -> None:
    said = graph([feature(n, 1, 1, influence=value) for n, value in enumerate(influences)], [])
    bundle = imported(tmp_path, said)
    assert tuple(bundle.table("CircuitNode")["influence"].to_pylist()) == influences
    assert tuple(one["influence"] for one in json.loads(exported(bundle))["nodes"]) == influences


def _sorted(one: dict[str, Any]) -> list[tuple[str, Any]]:
    return sorted(one.items())


def test_a_link_of_an_id_that_two_nodes_have_is_every_reading_of_it_and_says_so(tmp_path: Path) -> None:
    nodes = [feature(0, 1, 2), error(1, 2), feature(2, 5, 2), node("E_7_2", "E", 2, "embedding"), feature(1, 4, 2)]
    bundle = imported(
        tmp_path,
        graph(
            nodes, [("0_1_2", "2_5_2", 0.5), ("E_7_2", "0_1_2", 0.25), ("0_1_2", "1_4_2", 2.0), ("1_4_2", "2_5_2", 1)]
        ),
    )
    edges = stored_edges(bundle)
    low, err, high, token = ("feature", 0, 1, 2), ("error", 1, None, 2), ("feature", 2, 5, 2), ("token", -1, 7, 2)
    assert edges[(low, high, 0.5, True)] == 1
    assert edges[(err, high, 0.5, True)] == 1
    assert edges[(token, low, 0.25, True)] == 1
    assert edges[(token, err, 0.25, True)] == 1
    assert edges[(("feature", 1, 4, 2), high, 1.0, None)] == 1
    assert bundle.table("Circuit")["n_edges"].to_pylist() == [7]


def test_pinned_nodes_and_supernodes_are_clusters_of_the_circuits_nodes(tmp_path: Path) -> None:
    said = graph(
        [feature(0, 4, 1), feature(1, 5, 2, clerp="plural nouns"), error(1, 0, old=False)],
        [],
        qParams={"pinnedIds": ["0_4_1"], "supernodes": [["nouns", "0_4_1", "1_5_2"], ["left", "1_-1_0"]]},
    )
    bundle = imported(tmp_path, said)
    name = {row["uid"]: row["name"] for row in bundle.table("Cluster").to_pylist()}
    method = {row["uid"]: row["method"] for row in bundle.table("Clustering").to_pylist()}
    of = {row["source"]: method[row["target"]] for row in bundle.table("PART_OF").to_pylist()}
    members = {(of[r["target"]], name[r["target"]], r["source"].partition("feature")[2] or "error")
               for r in bundle.table("MEMBER_OF.CircuitNode-Cluster").to_pylist()}  # fmt: skip
    assert members == {
        ("pinned", "pinned", ":0:4:1"),
        ("supernodes", "nouns", ":0:4:1"),
        ("supernodes", "nouns", ":1:5:2"),
        ("supernodes", "left", "error"),
    }
    assert "plural nouns" in bundle.table("Feature")["label"].to_pylist()


@pytest.mark.parametrize("layer", [1, "1"])
def test_a_feature_whose_id_says_nothing_is_read_from_its_cantor_number(tmp_path: Path, layer: int | str) -> None:
    bundle = imported(tmp_path, graph([node("x", layer, 0, "sae", feature=53)], []))  # (1 + 8) · (1 + 8 + 1) / 2 + 8
    found = node_of(bundle, kind="feature")
    assert (found["layer"], found["index"]) == (1, 8)


@pytest.mark.parametrize(
    ("kind", "site"), [("cross layer transcoder", "mlp"), ("per layer transcoder", "mlp"), ("sae", "resid")]
)
def test_graphs_of_other_dictionaries_name_their_hooks(tmp_path: Path, kind: str, site: str) -> None:
    bundle = imported(tmp_path, graph([feature(3, 9, 1, feature_type=kind)], []))
    (dictionary,) = bundle.table("Dictionary").to_pylist()
    assert (dictionary["site"], dictionary["layer"], dictionary["architecture"]) == (site, 3, kind)


def test_logits_stand_in_the_layer_after_the_last_block(tmp_path: Path) -> None:
    said = {"token_prob": 0.5, "is_target_logit": True, "clerp": 'Output " a" (p=0.500)'}
    bundle = imported(tmp_path, graph([feature(0, 1, 1), node("27_7_2", "27", 2, "logit", feature=7, **said)], []))
    logit = node_of(bundle, kind="logit")
    assert (logit["layer"], logit["index"], logit["token"], logit["probability"], logit["is_target"]) == (
        26,
        7,
        " a",
        0.5,
        True,
    )
    assert bundle.table("Model")["n_layers"].to_pylist() == [26]


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_may_be_gzipped(tmp_path: Path, packed: bool) -> None:
    import gzip

    text = json.dumps(graph([feature(0, 1, 1), feature(1, 2, 1)], [("0_1_1", "1_2_1", 1.5)])).encode()
    name = "toy.json.gz" if packed else "toy.json"
    bundle = imported(tmp_path, gzip.compress(text) if packed else text, name)
    assert bundle.table("ATTRIBUTES_TO").num_rows == 1


def test_what_is_stored_comes_back_and_goes_without_a_trace(store: Store, tmp_path: Path) -> None:
    said = graph(
        [feature(0, 1, 2), error(1, 2), feature(2, 5, 2, clerp="x"), error(0, 1)],
        [("0_1_2", "2_5_2", 0.5), ("0_0_1", "2_5_2", 0.25)],
        qParams={"pinnedIds": ["0_1_2"], "supernodes": [["s", "2_5_2"]]},
    )
    empty = store.digest()
    bundle = imported(tmp_path, said)
    store.load(bundle)
    (circuit,) = bundle.table("Circuit")["uid"].to_pylist()
    tables = completed(store, circuit_tables(store, [circuit]))
    out = BytesIO()
    write = FORMATS["attribution-graph"].write
    assert write is not None
    write(tables, out)
    again = imported(tmp_path, out.getvalue(), "again.json")
    assert again.uid == bundle.uid
    with open_store(f"ladybug:{tmp_path / 'other.lbug'}") as other:
        other.load(again)
        assert other.digest() == store.digest()
    store.delete(circuit)
    assert store.digest() == empty
