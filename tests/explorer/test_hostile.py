"""Text that a circuit from elsewhere may carry is shown as text, wherever it can stand, and never runs."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.explorer.visiting import NARROW, Readers
from tests.explorer.world import ATTACK, HOSTILE, LONELY
from tests.queries.world import MODEL, feature

CLUSTERING = f"clustering:{MODEL}:attack:attack:0"
PLACES = {
    "circuits": "/",
    "circuit": f"/circuits/{ATTACK}",
    "node": f"/circuits/{ATTACK}?node={ATTACK}:feature:0:0:0",
    "paths": f"/circuits/{ATTACK}?panel=paths&path=1",
    "grouped": f"/circuits/{ATTACK}?group={CLUSTERING}",
    "compare": f"/compare?left={ATTACK}&right={ATTACK}",
    "feature": f"/features/{feature(9, 1)}",
    "clusterings": "/clusterings",
    "clustering": f"/clusterings/{CLUSTERING}",
    "cluster": f"/clusters/{CLUSTERING}:0",
    "ablations": "/ablations",
    "ablations of a circuit": f"/ablations?circuit={ATTACK}",
    "answer": f"/queries/top_nodes?circuit={ATTACK}",
    "runs": "/queries/runs",
    "answer of paths": f"/queries/strongest_paths?circuit={ATTACK}",
}
IN_THE_ADDRESS = [
    "/?search={}", "/?task={}", "/compare?left={}", f"/circuits/{LONELY}?node={{}}",
    f"/circuits/{LONELY}?group={{}}&from={{}}&panel=paths", "/queries?filter={}", "/queries/search?text={}",
    "/queries/cypher?text={}", "/queries/{}", "/ablations?circuit={}",
]  # fmt: skip
_MADE = """[...document.querySelectorAll("body script, #view :is(img, iframe, style, [onerror])")]
  .map(one => one.outerHTML)"""


@pytest.mark.parametrize("place", PLACES)
def test_hostile_text_is_text(reader_of: Readers, odd_site: str, place: str) -> None:
    reader = reader_of(odd_site)
    page = reader.open(PLACES[place])
    seen = reader.text() + str(
        page.evaluate("[...document.querySelectorAll('#view [title], #view option')].map(e => e.title + e.text)")
    )
    assert page.evaluate("window.ran") is None
    assert page.evaluate(_MADE) == []
    assert page.locator("a[href^='javascript:']").count() == 0
    assert page.locator(".state.failed").count() == 0
    assert HOSTILE["script"] in seen
    for size in (page.viewport_size, NARROW):
        assert size is not None
        page.set_viewport_size(size)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


@pytest.mark.parametrize("address", IN_THE_ADDRESS)
def test_hostile_text_in_an_address_is_text(reader_of: Readers, odd_site: str, address: str) -> None:
    reader = reader_of(odd_site)
    reader.expected |= {400, 404}
    for name in ("script", "image", "link"):
        page = reader.open(address.replace("{}", "".join(f"%{byte:02x}" for byte in HOSTILE[name].encode())))
        assert page.evaluate("window.ran") is None
        assert page.evaluate(_MADE) == []
        assert page.locator("body").inner_text()


@pytest.mark.parametrize("place", ["circuit", "compare", "ablations of a circuit"])
def test_a_picture_that_is_saved_holds_hostile_text_as_text(
    reader_of: Readers, odd_site: str, tmp_path: Path, place: str
) -> None:
    page = reader_of(odd_site).open(PLACES[place])
    with page.expect_download() as saved:
        page.get_by_role("button", name="SVG", exact=True).first.click()
    saved.value.save_as(tmp_path / "picture.svg")
    root = ElementTree.parse(tmp_path / "picture.svg").getroot()  # noqa: S314 (it is our own)
    tags = {one.tag.rpartition("}")[2] for one in root.iter()}
    assert not tags & {"script", "img", "image", "foreignObject"}
    attributes = [(name.rpartition("}")[2], value) for one in root.iter() for name, value in one.attrib.items()]
    assert not [name for name, value in attributes if name.startswith("on") or "javascript:" in value]
