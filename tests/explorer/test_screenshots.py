"""The five states that look worst when they go wrong, against pictures of them that somebody has looked at.

Pictures are compared small and blurred: fonts differ between machines, what a page looks like must not. After a change
that is meant, `CIRCUITSTORE_KEEP_SCREENSHOTS=yes pytest tests/explorer/test_screenshots.py` keeps the new ones.
"""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter
from playwright.sync_api import Page

from store.database import Store
from tests.browser import listening
from tests.explorer.test_states import Wavering
from tests.explorer.visiting import WIDE, Readers
from tests.explorer.world import HEADS, LONELY, LONG

FOLDER = Path(__file__).parent / "pictures"
SMALL = (WIDE["width"] // 4, WIDE["height"] // 4)
BLUR = 4
MOST = {"mean": 2.0, "largest": 60.0}
"""How far grey values, 0 to 255, may be apart: over the picture, and at any place in it."""


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("unknown", "/circuits/none"),
        ("one-node", f"/circuits/{LONELY}"),
        ("no-positions", f"/circuits/{HEADS}"),
        ("long-prompt", f"/circuits/{LONG}"),
    ],
)
def test_a_state_that_is_easily_ugly_looks_as_it_did(
    reader_of: Readers, odd_site: str, name: str, path: str, tmp_path: Path
) -> None:
    reader = reader_of(odd_site)
    reader.expected.add(404)
    assert_looks_as(name, reader.open(path), tmp_path)


def test_a_database_that_is_away_looks_as_it_did(reader_of: Readers, odd_store: Store, tmp_path: Path) -> None:
    wavering = Wavering(odd_store)
    wavering.is_away = True
    with listening(wavering) as site:
        reader = reader_of(site)
        reader.expected.add(503)
        assert_looks_as("away", reader.open("/"), tmp_path)


def assert_looks_as(name: str, page: Page, folder: Path) -> None:
    seen, kept = folder / f"{name}.png", FOLDER / f"{name}.png"
    page.screenshot(path=seen)
    if os.environ.get("CIRCUITSTORE_KEEP_SCREENSHOTS"):
        Image.open(seen).convert("L").resize(SMALL).save(kept, optimize=True)
    apart = np.abs(_blurred(seen) - _blurred(kept))
    found = {"mean": apart.mean(), "largest": apart.max()}
    assert all(found[measure] <= most for measure, most in MOST.items()), f"{seen} is not as {kept}: {found}"


def _blurred(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    small = Image.open(path).convert("L").resize(SMALL)
    return np.asarray(small.filter(ImageFilter.GaussianBlur(BLUR)), dtype=np.float64)
