"""What Neo4j Browser fetches from the service; and the real Browser in a real Chromium, opening on our graph."""

import html
import re
import time
from contextlib import closing
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Page

from queries.catalogue import catalogue
from store.database import Store, open_store
from tests.api.conftest import fill
from tests.browser import chromium, listening
from tests.conftest import no_skip_in_ci
from tests.neo4j_server import Neo4j


def test_the_guide_holds_every_query_with_values_that_this_store_answers(served: TestClient, world: Store) -> None:
    guide = served.get("/neo4j/guide.html").text
    blocks = re.findall(r'<h4>(\w+)</h4>\n<p>.*?</p><pre mode="cypher"[^>]*>(.*?)</pre>', guide, re.DOTALL)
    assert [name for name, _ in blocks] == [query.name for query in catalogue()]
    if world.dialect == "neo4j":
        for _, text in blocks:
            assert world.run(html.unescape(text), timeout=20).columns


def test_the_style_names_every_kind_of_node(served: TestClient) -> None:
    style = served.get("/neo4j/circuits.grass").text
    for label in ("FeatureNode", "ErrorNode", "TokenNode", "LogitNode", "MetricNode", "Circuit", "Feature"):
        assert f"node.{label} {{" in style


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [("http://localhost:7474", True), ("http://127.0.0.1:17474", True), ("https://example.org", False),
     ("http://localhost.example.org", False), ("null", False)],
)  # fmt: skip
def test_only_pages_of_this_machine_may_read_them(served: TestClient, origin: str, allowed: bool) -> None:
    headers = {"Origin": origin, "Access-Control-Request-Headers": "cache-control"}
    for answer in (
        served.options("/neo4j/guide.html", headers=headers),
        served.get("/neo4j/guide.html", headers=headers),
    ):
        assert answer.headers.get("access-control-allow-origin") == (origin if allowed else None)


def test_neo4j_browser_opens_on_our_graph(neo4j: Neo4j, tmp_path: Path) -> None:
    if not neo4j.browser:
        no_skip_in_ci("the Neo4j of these tests is not ours to set up, so its Browser isn't either")
    neo4j.empty()
    fill(neo4j.url, tmp_path)
    store = open_store(neo4j.url, read_only=True)
    with closing(store), listening(store, neo4j.service_port), chromium() as browser:
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        _connect(page, neo4j)
        page.get_by_text("Circuitstore: Circuits as graphs").first.wait_for(timeout=60_000)
        page.locator("pre.runnable").first.click()
        page.keyboard.press("Control+Enter")
        page.locator("svg .node").first.wait_for(timeout=60_000)
        time.sleep(2)  # the layout settles
        fills = set(page.eval_on_selector_all("svg .node circle", "all => all.map(c => c.getAttribute('fill'))"))
        captions = page.locator("svg .node").all_text_contents()
        page.screenshot(path=tmp_path / "browser.png")
    assert {"#0072B2", "#009E73", "#D55E00"} & {fill.upper() for fill in fills if fill}
    assert any("metric" in caption or ":" in caption for caption in captions)


def _connect(page: Page, neo4j: Neo4j) -> None:
    page.goto(f"{neo4j.browser}?connectURL={neo4j.url}")
    page.locator("[data-testid=username]").wait_for(timeout=60_000)
    page.wait_for_timeout(3000)  # its first try, without a password, fails
    page.fill("[data-testid=username]", neo4j.user)
    page.fill("[data-testid=password]", neo4j.password)
    page.click("[data-testid=connect]")
