"""The same rows in every form, chosen by Accept or ?format=, and compressed for those who take it."""

import csv
import io
import json
from pathlib import Path

import pyarrow as pa
import pytest
from fastapi.testclient import TestClient

from api.settings import Settings
from store.database import Store
from tests.api.conftest import serving
from tests.api.problems import problem
from tests.queries.world import circuit

METRIC = circuit(0)["CircuitNode"][-1]["uid"]
PATHS = ["/circuits", "/features?sort=-density", "/runs/run:1", f"/queries/upstream_paths?node={METRIC}&max_hops=2"]
TYPES = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "arrow": "application/vnd.apache.arrow.stream",
}


@pytest.mark.parametrize("path", PATHS)
def test_every_form_holds_the_same_rows(served: TestClient, path: str) -> None:
    answer = served.get(path).json()
    columns, rows = [c for c in answer["columns"] if c != "links"], answer["rows"]
    assert rows
    in_form = {form: served.get(path, headers={"Accept": kind}) for form, kind in TYPES.items()}
    assert {form: response.headers["content-type"] for form, response in in_form.items()} == TYPES
    assert [json.loads(line) for line in in_form["ndjson"].text.splitlines()] == rows
    table = pa.ipc.open_stream(in_form["arrow"].content).read_all()
    assert table.to_pylist() == [{name: row[name] for name in columns} for row in rows]
    read = list(csv.reader(io.StringIO(in_form["csv"].text)))
    assert read[0] == columns
    for cells, row in zip(read[1:], rows, strict=True):
        for cell, column in zip(cells, columns, strict=True):
            value = row[column]
            wanted = json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value
            assert cell == ("" if wanted is None else str(wanted))


def test_an_arrow_columns_type_is_the_schemas_whatever_the_rows_hold(served: TestClient) -> None:
    empty = pa.ipc.open_stream(served.get("/circuits?name=none&format=arrow").content).read_all()
    assert empty.num_rows == 0
    for path in ("/circuits?format=arrow", "/circuits?format=arrow&aggregation=prompt"):  # all null; some
        schema = pa.ipc.open_stream(served.get(path).content).read_all().schema
        assert schema.field("faithfulness").type == pa.float64()
        assert schema.field("n_nodes").type == pa.int64()
        assert schema.field("task").type == empty.schema.field("task").type


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("*/*", "json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "json"),
        ("text/csv", "csv"),
        ("text/*", "csv"),
        ("TEXT/CSV;header=present", "csv"),
        ("application/json;q=0.5, text/csv", "csv"),
        ("application/json;q=0, */*", "ndjson"),
        ("application/*;q=0.1, application/x-ndjson", "ndjson"),
        ("application/vnd.apache.arrow.stream, application/json;q=0.9", "arrow"),
    ],
)
def test_accept_chooses_by_quality_and_by_what_is_most_specific(served: TestClient, accept: str, form: str) -> None:
    response = served.get("/models", headers={"Accept": accept})
    assert response.headers["content-type"] == TYPES[form]
    assert "Accept" in response.headers["vary"]


def test_format_overrides_accept(served: TestClient) -> None:
    for form, kind in TYPES.items():
        response = served.get(f"/models?format={form}", headers={"Accept": "application/json"})
        assert response.headers["content-type"] == kind


@pytest.mark.parametrize("path", ["/circuits", f"/circuits/{circuit(0)['Circuit'][0]['uid']}/graph", "/queries/runs"])
def test_no_other_form_can_be_had_and_the_answer_says_which_can(served: TestClient, path: str) -> None:
    assert "image/png" in problem(served.get(path, headers={"Accept": "image/png"}), 406)
    said = problem(served.get(f"{path}?format=xml"), 406)
    assert said.startswith("format: 'xml'")
    assert "application/json" in said
    problem(served.get(path, headers={"Accept": "*/*;q=0"}), 406)
    problem(served.get(f"{path}?format=json&format=csv"), 406)


def test_the_link_to_the_next_page_stands_in_the_header_of_every_form(served: TestClient) -> None:
    uids: list[str] = []
    path = "/features?limit=7&format=csv"
    while path:
        response = served.get(path)
        uids += [row["uid"] for row in csv.DictReader(io.StringIO(response.text))]
        path = response.links.get("next", {}).get("url", "")
    assert len(uids) == len(set(uids)) == 20


def test_a_cut_answer_says_so_in_every_form(world: Store) -> None:
    with serving(world, Settings(row_limit=2)) as client:
        for form in ("csv", "ndjson", "arrow"):
            response = client.get(f"/queries/recurring_features?format={form}")
            assert response.headers["x-truncated"] == "true"
        assert client.get("/queries/recurring_features").json()["truncated"] is True
    with serving(world) as client:
        assert "x-truncated" not in client.get("/queries/recurring_features?format=csv").headers


@pytest.mark.parametrize("form", TYPES)
def test_what_is_long_is_compressed_for_who_takes_it(served: TestClient, form: str) -> None:
    path = f"/features?format={form}"
    plain = served.get(path, headers={"Accept-Encoding": "identity"})
    packed = served.get(path, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert packed.headers["etag"] == plain.headers["etag"]


def test_ndjson_goes_out_line_by_line_and_not_as_one_piece(served: TestClient) -> None:
    with served.stream("GET", "/features?format=ndjson", headers={"Accept-Encoding": "identity"}) as response:
        assert "content-length" not in response.headers
        assert len(list(response.iter_lines())) == 20


def test_pandas_reads_a_list_by_its_url(served: TestClient, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.read_csv(io.StringIO(served.get("/circuits?format=csv").text))
    assert sorted(table["uid"]) == sorted(circuit(seed)["Circuit"][0]["uid"] for seed in range(4))
    assert table["n_nodes"].dtype == "int64"
