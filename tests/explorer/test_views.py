"""Every view, on both databases: it shows what the store holds, to everyone, and with nothing left to come."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.explorer.addresses import VIEWS, addresses
from tests.explorer.layout import faults
from tests.explorer.visiting import NARROW, WIDE, Reader, Readers

Told = Callable[[Any], Iterator[Any]]


def _each(*columns: str, of: str = "") -> Told:
    """What stands in these columns of the first rows. of: the part of the answer that has rows."""

    def told(answer: Any) -> Iterator[Any]:
        rows = (answer[of] if of else answer)["rows"]
        assert rows
        for row in rows[:10]:
            for column in columns:
                yield from row[column] if isinstance(row[column], list) else [row[column]]

    return told


def _counts(answer: Any) -> Iterator[str]:
    yield f"{len(answer['nodes']['rows'])} of {answer['n_nodes']}"
    yield f"{len(answer['edges']['rows'])} of {answer['n_edges']}"


SHOWN: dict[str, Told] = {
    "circuits": _each("name", "method", "n_nodes", "n_edges", "faithfulness"),
    "circuit": _counts,
    "node": _counts,
    "paths": _counts,
    "compare": _each("effect", "other_effect", "label"),
    "feature": _each("label", "top_tokens", "bottom_tokens", "max_activation"),
    "clusterings": _each("method", "basis", "n_clusters", "silhouette"),
    "clustering": _each("method", "n_clusters", "n_features", "silhouette"),
    "cluster": _each("label", "silhouette"),
    "ablations": lambda answer: (row["circuit"].split(":")[0].replace("-", " ") for row in answer["rows"]),
    "ablations of a circuit": lambda answer: iter({row["n_pairs"] for row in answer["rows"]}),
    "questions": lambda answer: (row["summary"] for row in answer["rows"]),
    "question": _each("label", "n_circuits", "mean_effect"),
    "paths as an answer": lambda answer: (row["weight"] for row in answer["rows"][:10]),
}


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_shows_what_the_store_holds(reader: Reader, view: str) -> None:
    page = reader.open(addresses(reader.json)[view])
    assert page.locator("h1").count() == 1
    assert page.locator(".spinner, .state.failed, [aria-busy=true]").count() == 0
    seen = reader.text()
    assert [told for told in reader.as_read(SHOWN[view](reader.twin())) if told not in seen] == []


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_for_every_reader(reader_of: Readers, one_site: str, view: str) -> None:
    """axe finds nothing serious in light or dark, and all text can be read in windows from 800 pixels on."""
    reader = reader_of(one_site)
    page = reader.open(addresses(reader.json)[view])
    found = _serious(reader, {})
    page.emulate_media(color_scheme="dark")
    reader.settle()
    found += _serious(reader, {"runOnly": ["color-contrast"]})
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)
        reader.settle()
        found += faults(page)
    assert found == []


def test_a_view_fetches_no_other_view(reader_of: Readers, one_site: str) -> None:
    page = reader_of(one_site).open("/")
    fetched = page.evaluate("performance.getEntriesByType('resource').map(one => new URL(one.name).pathname)")
    assert [path for path in fetched if path.startswith("/explorer/views/")] == ["/explorer/views/circuits.js"]
    folders = {path.split("/")[2] for path in fetched if path.startswith("/explorer/") and path.count("/") > 2}
    assert folders <= {"views", "parts", "circuits", "styles", "vendor"}


def _serious(reader: Reader, options: dict[str, Any]) -> list[str]:
    violations = Axe().run(reader.page, options={"resultTypes": ["violations"], **options}).response["violations"]
    return [
        f"{one['id']}: {one['help']}: {[node['html'][:160] for node in one['nodes']][:3]}"
        for one in violations
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("kind", ["button:not(.quiet)", "select", "[type=search]"])
def test_what_can_be_pressed_or_filled_in_is_in_the_pages_type_and_frame(
    reader_of: Readers, odd_site: str, kind: str
) -> None:
    looks = "(one, names) => names.map(name => getComputedStyle(one)[name])"
    page = reader_of(odd_site).open("/")
    one = page.locator(f"main {kind}").first
    assert one.evaluate(looks, ["borderTopStyle", "borderTopWidth"]) == ["solid", "1px"]
    assert one.evaluate(looks, ["fontFamily"]) == page.locator("body").evaluate(looks, ["fontFamily"])
