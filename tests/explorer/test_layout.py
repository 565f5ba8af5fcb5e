"""What looks worst can still be read: no text over another, nothing cut off, a graph in the middle of its canvas."""

import pytest
from playwright.sync_api import Browser

from tests.explorer.layout import faults, painted
from tests.explorer.visiting import NARROW, WIDE, Readers
from tests.explorer.world import ATTACK, HEADS, LONELY, LONG
from tests.queries.world import feature

WORST = {
    "5,000 tokens": f"/circuits/{LONG}",
    "one node": f"/circuits/{LONELY}",
    "no positions": f"/circuits/{HEADS}",
    "long and foreign names": f"/circuits/{ATTACK}?panel=paths&path=1",
    "nothing shared, names without blanks": f"/compare?left={ATTACK}&right={HEADS}",
    "tokens without end": f"/features/{feature(9, 3)}",
}


@pytest.mark.parametrize("state", WORST)
def test_what_looks_worst_can_be_read(reader_of: Readers, odd_site: str, state: str) -> None:
    reader = reader_of(odd_site)
    page = reader.open(WORST[state])
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)
        reader.settle()
        assert faults(page) == [], size
        if page.locator(".graph canvas").count():
            share, left, right = painted(page)
            assert 0.001 < share < 0.6
            assert left > 0.05
            assert right < 0.995
            assert abs((left + right) / 2 - 0.535) < 0.03  # in the middle of what the names of layers leave


@pytest.mark.parametrize(
    ("style", "fault"),
    [("", None), ("position: absolute; top: 12px; left: 14px", "over"), ("margin-left: -40px", "outside"),
     ("width: 2000px; display: inline-block", "wider")],
)  # fmt: skip
def test_text_that_can_not_be_read_is_found(browser: Browser, style: str, fault: str | None) -> None:
    context = browser.new_context(viewport=NARROW)
    page = context.new_page()
    page.set_content(f"<div id=app><p>One line of text</p><p><b style='{style}'>Another one</b></p></div>")
    found = faults(page)
    assert fault in found[0] if fault else found == []
    context.close()
