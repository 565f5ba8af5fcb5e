"""The explorer's pages: HTML for who names HTML, data for all others, and files of one folder only."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.keys import Keys
from api.pages import FOLDER
from api.settings import Settings
from store.database import Store, open_store
from tests.api.conftest import fill, serving
from tests.api.problems import problem
from tests.queries.world import circuit

CIRCUIT = circuit(1)["Circuit"][0]["uid"]
CLUSTERING = "clustering:toy:k-means:attribution-graph:0"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
DATA = ["/", "/circuits", f"/circuits/{CIRCUIT}", f"/compare?left={CIRCUIT}&right={CIRCUIT}",
        "/features/toy:blocks.1:1", "/clusterings", f"/clusterings/{CLUSTERING}", f"/clusters/{CLUSTERING}:0",
        "/ablations", "/queries", "/queries/circuits"]  # fmt: skip
PAGE = (FOLDER / "index.html").read_text()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("served")
    fill(f"ladybug:{folder / 'store.lbug'}", folder)
    with closing(open_store(f"ladybug:{folder / 'store.lbug'}", read_only=True)) as opened:
        yield opened


@pytest.fixture(scope="module")
def client(store: Store) -> Iterator[TestClient]:
    with serving(store) as client:
        yield client


@pytest.mark.parametrize("path", [*DATA, "/compare", "/compare?left=a&right=b", "/compare?%C3%A9=1"])
def test_a_browser_gets_the_page(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"Accept": BROWSER})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.text == PAGE
    assert "accept" in answer.headers["vary"].lower()
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", DATA)
@pytest.mark.parametrize(("accept", "form"), [("*/*", ""), ("application/json", ""), (BROWSER, "format=json")])
def test_all_others_get_data_at_the_same_address(client: TestClient, path: str, accept: str, form: str) -> None:
    answer = client.get(f"{path}{'&' if '?' in path else '?'}{form}", headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert "accept" in answer.headers["vary"].lower()


@pytest.mark.parametrize("path", ["/nothing", "/circuits/a/graph", "/circuits/a/b/c", "/tasks/none"])
def test_where_nothing_is_a_browser_gets_the_page_and_all_others_a_problem(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"Accept": BROWSER})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert answer.text == PAGE
    for headers in ({}, {"Accept": "application/json"}):
        assert client.get(path, headers=headers).json()["status"] == 404
    assert client.get(f"{path}?format=json", headers={"Accept": BROWSER}).json()["status"] == 404


@pytest.mark.parametrize("path", ["/health", "/tasks", f"/circuits/{CIRCUIT}/graph", "/openapi.json"])
def test_where_no_view_stands_a_browser_gets_what_all_get(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"Accept": BROWSER, "X-Request-ID": "one"})
    other = client.get(path, headers={"X-Request-ID": "one"})
    assert (answer.status_code, answer.content) == (other.status_code, other.content)


def test_the_page_may_fetch_and_run_only_what_the_service_itself_serves(client: TestClient) -> None:
    headers = client.get("/", headers={"Accept": BROWSER}).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")


@pytest.mark.parametrize(
    "path", sorted(path for path in FOLDER.rglob("*") if path.is_file()), ids=lambda path: path.name
)
def test_every_file_is_served_as_what_it_is(client: TestClient, path: Path) -> None:
    answer = client.get(f"/explorer/{path.relative_to(FOLDER)}")
    assert answer.content == path.read_bytes()
    kinds = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html"}
    assert answer.headers["content-type"].startswith(kinds.get(path.suffix, ""))
    assert answer.headers["cache-control"] == "no-cache"
    again = client.get(f"/explorer/{path.relative_to(FOLDER)}", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path",
    ["nothing.js", "", "views", "views/", "../app.py", "..%2fapp.py", "%2e%2e/app.py", "..%5capp.py",
     "views/../../app.py", "views/..%2f..%2fapp.py", "/etc/passwd", "%2fetc%2fpasswd", "....//app.py", "a%00b", "%ff",
     pytest.param("x" * 5000, id="long")],
)  # fmt: skip
def test_what_is_no_file_of_the_explorer_is_not_found(client: TestClient, path: str) -> None:
    problem(client.get(f"/explorer/{path}"), 404)


@pytest.mark.parametrize("path", ["/", f"/circuits/{CIRCUIT}", "/explorer/main.js", "/explorer/nothing.js"])
def test_head_answers_as_get_does_without_the_body(client: TestClient, path: str) -> None:
    headers = {"Accept": BROWSER, "X-Request-ID": "one"}
    head, get = client.head(path, headers=headers), client.get(path, headers=headers)
    assert (head.status_code, head.headers, head.content) == (get.status_code, get.headers, b"")


@pytest.mark.parametrize("path", ["/circuits", f"/circuits/{CIRCUIT}", "/explorer/main.js"])
def test_pages_and_files_take_nothing_that_is_sent(client: TestClient, path: str) -> None:
    assert client.post(path, headers={"Accept": BROWSER}).status_code in (404, 405)


def test_where_keys_are_needed_pages_need_none_and_data_does(store: Store, tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys.json")
    _, secret = keys.add("me", ["read"])
    with serving(store, Settings(require_keys=True, keys=keys.path)) as client:
        assert client.get("/circuits", headers={"Accept": BROWSER}).text == PAGE
        assert client.get("/explorer/main.js").status_code == 200
        problem(client.get("/circuits"), 401)
        problem(client.get("/circuits?format=json", headers={"Accept": BROWSER}), 401)
        assert client.get("/circuits", headers={"X-API-Key": secret}).status_code == 200


def test_a_refusal_too_is_only_for_who_asked_for_data(client: TestClient) -> None:
    answer = client.get("/circuits/nothing")
    problem(answer, 404)
    assert answer.headers["vary"].lower().count("accept") == 1 + answer.headers["vary"].lower().count("accept-encoding")


def test_a_page_is_not_for_a_host_that_is_not_known(client: TestClient) -> None:
    problem(client.get("/", headers={"Accept": BROWSER, "Host": "elsewhere.example"}), 421)
