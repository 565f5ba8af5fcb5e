"""What can't be imported is refused with its name and the place in the file, and leaves nothing behind."""

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.formats.importing import import_all
from store.errors import CircuitstoreError, ImportFormatError
from tests.ingest.formats.graphs import error, feature, graph, node
from tests.project.repository import ROOT

NODES = [feature(0, 4, 1), feature(1, 5, 2), error(0, 1), node("3_7_2", "3", 2, "logit", feature=7, token_prob=0.5)]
LINKS = [("0_4_1", "1_5_2", 0.5), ("1_5_2", "3_7_2", 0.25), ("0_0_1", "1_5_2", 1.0)]
WHOLE = json.dumps(graph(NODES, LINKS)).encode()


def refusal(folder: Path, content: bytes, name: str = "bad.json") -> str:
    """Why a file is refused."""
    (folder / name).write_bytes(content)
    with pytest.raises(ImportFormatError) as raised:
        list(import_all([str(folder / name)], "attribution-graph", folder / "bundles"))
    assert not (folder / "bundles").exists() or not list((folder / "bundles").iterdir())
    told = str(raised.value)
    assert told.startswith(f"{folder / name}: ")
    assert told.count(name) == 1
    return told.partition(": ")[2]


def test_the_whole_file_is_fine(tmp_path: Path) -> None:
    (tmp_path / "good.json").write_bytes(WHOLE)
    assert len(list(import_all([str(tmp_path / "good.json")], "auto", tmp_path / "bundles"))) == 1


def changed(*path: str | int, to: Any) -> bytes:
    """The whole file with another value at one place."""
    said = json.loads(WHOLE)
    inner = said
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = to
    return json.dumps(said).encode()


WRONG: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", r"the file is empty"),
    "only spaces": (b" \n ", r"byte 3: the file ends here"),
    "a list": (b"[1, 2]", r"byte 0: the file is no JSON object"),
    "no nodes": (b'{"metadata": {}, "links": []}', r"nodes is missing"),
    "nodes no array": (changed("nodes", to={}), r"byte \d+: nodes is no array"),
    "UTF-16": (WHOLE.decode().encode("utf-16"), r"byte 0: the text is not UTF-8"),
    "UTF-16 without a mark": (WHOLE.decode().encode("utf-16-le"), r"byte 0: the text is not UTF-8"),
    "Latin-1 in a link": (
        WHOLE.replace(b'"source": "1_5_2"', b'"source": "\xe9"'),
        r"byte \d+: links\[1\]: .*not UTF-8",
    ),
    "Latin-1 in the prompt": (WHOLE.replace(b" a", b"\xe9", 1), r"byte \d+: in metadata: .*not UTF-8"),
    "NaN": (WHOLE.replace(b"0.25", b"NaN"), r"byte \d+: links\[1\]: .*(malformed|invalid)"),
    "Infinity in a node": (
        WHOLE.replace(b"0.5}]", b"-Infinity}]", 1),
        r"byte \d+: nodes\[3\]: -Infinity is no JSON number",
    ),
    "too large a number": (WHOLE.replace(b"0.25", b"1e999"), r"byte \d+: links\[1\]\.weight: Number out of range"),
    "too large a weight": (WHOLE.replace(b"0.25", b"1e9"), r"ATTRIBUTES_TO.*weight is 1,048,576 or more"),
    "a key twice in a link": (
        WHOLE.replace(b'"weight": 0.25', b'"weight": 0.25, "weight": 1'),
        r"byte \d+: links\[1\]: the key 'weight' stands there twice",
    ),
    "a key twice in a node": (
        WHOLE.replace(b'"layer": "1"', b'"layer": "1", "layer": "0"'),
        r"byte \d+: nodes\[1\]: the key 'layer' stands there twice",
    ),
    "a key twice outside": (WHOLE[:-1] + b', "links": []}', r"byte \d+: the key 'links' stands there twice"),
    "a link to nowhere": (
        changed("links", 2, "target", to="9_9_9"),
        r"links\[2\]\.target: no node has the node_id '9_9_9'",
    ),
    "a pin to nowhere": (
        changed("qParams", to={"pinnedIds": ["x"]}),
        r"qParams\.pinnedIds: no node has the node_id 'x'",
    ),
    "a supernode without a name": (changed("qParams", to={"supernodes": [[]]}), r"qParams\.supernodes\[0\] is empty"),
    "a link twice": (changed("links", 2, to=json.loads(WHOLE)["links"][1]), r"edge 2 has the ends of edge 1"),
    "a node twice": (changed("nodes", 1, to=NODES[0]), r"nodes\[1\]: node_id '0_4_1' is that of nodes\[0\] already"),
    "two nodes of one place": (
        json.dumps(graph([*NODES, feature(0, 4, 1, node_id="x")], LINKS)).encode(),
        r"nodes\[4\] is the same node as nodes\[0\]",
    ),
    "a circle": (changed("links", 2, to={"source": "1_5_2", "target": "0_4_1", "weight": 1}), r"no cycle"),
    "a weight in words": (
        changed("links", 1, "weight", to="1"),
        r"byte \d+: links\[1\]\.weight: Expected `float`, got `str`",
    ),
    "no weight": (changed("links", 1, to={"source": "1_5_2", "target": "3_7_2"}), r"links\[1\]: .*missing .*`weight`"),
    "a layer in words": (changed("nodes", 1, "layer", to="top"), r"nodes\[1\]: layer 'top' is no number"),
    "a negative position": (changed("nodes", 1, "ctx_idx", to=-1), r"nodes\[1\]: .*ctx_idx"),
    "two layers of logits": (
        json.dumps(graph([*NODES, node("5_1_2", 5, 2, "logit")], LINKS)).encode(),
        r"logits stand in layers \[3, 5\]",
    ),
    "a latent nobody knows": (
        changed("nodes", 1, to=node("x", 1, 2, "sae", feature=0)),
        r"nodes\[1\]: neither node_id 'x' nor",
    ),
    "no model": (changed("metadata", to={"prompt_tokens": []}), r"metadata: .*`scan`"),
    "a comma too many": (
        WHOLE.replace(b'}], "links"', b'},], "links"'),
        r"byte \d+: before nodes\[4\]: the array is malformed",
    ),
    "a comma missing": (
        WHOLE.replace(b'}, {"source"', b'} {"source"', 1),
        r"byte \d+: before links\[\d\]: the array is malformed",
    ),
    "more after the end": (WHOLE + b"{}", r"byte \d+: something follows the JSON document"),
    "nested deep in metadata": (
        WHOLE.replace(b'"slug"', b'"deep": ' + b"[" * 99 + b"]" * 99 + b', "slug"'),
        r"byte \d+: .*nested",
    ),
    "nested very deep in a link": (WHOLE.replace(b"0.25", b"[" * 200_000), r"byte \d+: .*nested"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_input_is_refused_with_its_place(kind: str, tmp_path: Path) -> None:
    content, why = WRONG[kind]
    told = refusal(tmp_path, content)
    assert re.search(why, told), told


@settings(max_examples=80)
@given(st.integers(1, len(WHOLE) - 1))
def test_a_file_cut_off_anywhere_is_refused(end: int) -> None:
    with TemporaryDirectory() as name:
        assert "byte" in refusal(Path(name), WHOLE[:end])


@settings(max_examples=150)
@given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=3))
def test_a_file_with_bytes_changed_is_imported_whole_or_refused_in_our_words(at: int, to: bytes) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        file, told = folder / "x.json", ""
        file.write_bytes(WHOLE[:at] + to + WHOLE[at + len(to) :])
        try:
            bundles = list(import_all([str(file)], "attribution-graph", folder / "bundles"))
        except CircuitstoreError as error:
            told, bundles = str(error), []
        if bundles:
            assert bundles[0].table("CircuitNode").num_rows == 4
            assert bundles[0].table("ATTRIBUTES_TO").num_rows == 3
        else:
            assert told.startswith(str(file))
            assert not (folder / "bundles").exists() or not list((folder / "bundles").iterdir())


def test_an_element_without_an_end_is_refused(tmp_path: Path) -> None:
    told = refusal(tmp_path, WHOLE.replace(b'"source": "1_5_2"', b'"source": "' + b"x" * 3_000_000))
    assert "links[1]" in told


def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    bomb = gzip.compress(WHOLE[:-1] + b" " * 200_000_000 + b"}")
    assert len(bomb) < 300_000
    assert "as of a zip bomb" in refusal(tmp_path, bomb, "bad.json.gz")


def test_damaged_gzip_data_are_refused(tmp_path: Path) -> None:
    packed = gzip.compress(WHOLE)
    assert "truncated" in refusal(tmp_path, packed[:-9], "bad.json.gz")


def test_a_file_of_no_known_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("hello")
    with pytest.raises(ImportFormatError, match=r"x\.txt: it looks like no format that can be imported"):
        list(import_all([str(tmp_path / "x.txt")], "auto", tmp_path / "bundles"))


def test_the_program_refuses_in_one_line_and_stores_nothing(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_bytes(WHOLE[:-20])
    command = [
        sys.executable,
        "circuitstore.py",
        "--store",
        f"ladybug:{tmp_path}/s.lbug",
        "import",
        f"{tmp_path}/bad.json",
    ]
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "b")], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert f"circuitstore: {tmp_path}/bad.json: byte " in done.stderr
    assert not (tmp_path / "s.lbug").exists()
