"""The five states that look worst when they go wrong, against pictures of them that somebody has looked at.

Pictures are compared small and blurred, as fonts differ between machines: what differs, as a share of what there is to
see. After a change that is meant, delete the pictures: a missing one is taken, and the test fails once to say so.
"""

from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter
from playwright.sync_api import Page

from store.database import Store
from tests.browser import listening
from tests.explorer.test_states import Wavering
from tests.explorer.visiting import Readers
from tests.explorer.world import HEADS, LONELY, LONG

FOLDER = Path(__file__).parent / "pictures"
STATES = {
    "unknown": "/circuits/none",
    "one-node": f"/circuits/{LONELY}",
    "no-positions": f"/circuits/{HEADS}",
    "long-prompt": f"/circuits/{LONG}",
}
AWAY = "away"
SMALLER = 3
BLUR = 1.5
MOST = 0.3
Picture = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


@pytest.mark.parametrize("name", STATES)
def test_a_state_that_is_easily_ugly_looks_as_it_did(
    reader_of: Readers, odd_site: str, name: str, tmp_path: Path
) -> None:
    reader = reader_of(odd_site)
    reader.expected.add(404)
    assert_looks_as(name, reader.open(STATES[name]), tmp_path)


def test_a_database_that_is_away_looks_as_it_did(reader_of: Readers, odd_store: Store, tmp_path: Path) -> None:
    wavering = Wavering(odd_store)
    wavering.is_away = True
    with listening(wavering) as site:
        reader = reader_of(site)
        reader.expected.add(503)
        assert_looks_as(AWAY, reader.open("/"), tmp_path)


def test_no_state_looks_as_another_or_as_nothing() -> None:
    pictures = [_blurred(Image.open(FOLDER / f"{name}.png")) for name in (*STATES, AWAY)]
    for one, other in permutations(pictures, 2):
        assert apart(one, other) > MOST
    for one in pictures:
        assert apart(np.full_like(one, np.median(one)), one) > 2 * MOST


def assert_looks_as(name: str, page: Page, folder: Path) -> None:
    seen, kept = folder / f"{name}.png", FOLDER / f"{name}.png"
    page.locator("#view").screenshot(path=seen)
    now = Image.open(seen).convert("L")
    now = now.resize((now.width // SMALLER, now.height // SMALLER))
    if not kept.exists():
        now.save(kept, optimize=True)
        pytest.fail(f"there was no picture {kept}: it was taken now, look at it and run the test again")
    before = Image.open(kept)
    assert now.size == before.size
    found = apart(_blurred(now), _blurred(before))
    assert found <= MOST, f"{seen} is not as {kept}: {found:.0%} of it differs"


def apart(one: Picture, other: Picture) -> float:
    """How much of the ink of the other is elsewhere in the one, or more. Ink is whatever is not as most of it is."""
    if one.shape != other.shape:
        return 1.0
    return float(np.abs(one - other).sum() / np.abs(other - np.median(other)).sum())


def _blurred(picture: Image.Image) -> Picture:
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(BLUR)), dtype=np.float64)
