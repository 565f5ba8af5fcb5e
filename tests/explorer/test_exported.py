"""A circuit as one HTML file: it shows what the service's page shows, asks nobody, and holds its texts as texts."""

import json
import re
from pathlib import Path

import pytest

from api.exported import page
from queries.catalogue import catalogue
from store.database import Store
from store.errors import NotFoundError
from tests.explorer.visiting import Readers


@pytest.fixture
def circuit(odd_store: Store) -> str:
    """One with hostile texts."""
    rows = odd_store.run("MATCH (c:Circuit) WHERE c.name CONTAINS '<script>' RETURN c.uid").rows
    uid: str = rows[0][0]
    return uid


def test_it_shows_the_circuit_without_a_service(
    odd_store: Store, odd_site: str, circuit: str, reader_of: Readers, tmp_path: Path
) -> None:
    file = tmp_path / "circuit.html"
    file.write_text(page(odd_store, catalogue(), circuit), encoding="utf-8")
    served, exported = reader_of(odd_site), reader_of("file://")
    served.open(f"/circuits/{circuit}")
    exported.open(str(file))
    counts = ".slider output"
    assert exported.page.locator(counts).all_inner_texts() == served.page.locator(counts).all_inner_texts()
    assert exported.page.locator("h1").inner_text() == served.page.locator("h1").inner_text()
    assert exported.page.evaluate("window.ran") is None
    drawn = "performance.getEntriesByName('circuit drawn').length > 0"
    assert exported.page.evaluate(drawn)
    exported.page.get_by_role("button", name="Strongest paths").click()
    exported.settle()
    assert "panel=paths" in exported.page.url
    assert exported.page.locator("a[href^='/']").count() == 0
    exported.page.go_back()
    exported.settle()
    assert exported.page.get_by_role("button", name="Strongest paths").is_visible()


def test_every_module_that_it_names_is_in_it(odd_store: Store, circuit: str) -> None:
    text = page(odd_store, catalogue(), circuit)
    modules = json.loads(_element(text, "importmap"))["imports"]
    assert {"explorer/main.js", "explorer/views/circuit.js", "explorer/vendor/preact.js"} <= set(modules)
    json.loads(_element(text, "application/json"))
    assert not re.findall(r'(?:src|href)="', text.split("</style>")[0].replace('content="', ""))


def test_a_circuit_that_is_not_stored_is_refused(odd_store: Store) -> None:
    with pytest.raises(NotFoundError, match="none"):
        page(odd_store, catalogue(), "none")


def _element(text: str, kind: str) -> str:
    found = re.search(rf'<script type="{kind}"[^>]*>(.*?)</script>', text, re.DOTALL)
    assert found is not None
    return found[1]
