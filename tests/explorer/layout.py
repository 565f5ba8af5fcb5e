"""Whether a page can be read: no text over another, none cut off at the window's edge.

Measured in place of stored pictures, which differ from machine to machine with the fonts, and say only that something
changed, not that it is wrong.
"""

from pathlib import Path

from playwright.sync_api import Page

_SCRIPT = (Path(__file__).parent / "layout.js").read_text().strip()


def faults(page: Page) -> list[str]:
    """What can't be read, in words; at most a few."""
    found: list[str] = page.evaluate(f"{_SCRIPT}.faults()")
    return found


def painted(page: Page) -> tuple[float, float, float]:
    """Of the graph's canvas: the share that is drawn on, and how far the drawing reaches from left to right, 0 to 1."""
    share, left, right = page.evaluate(f"{_SCRIPT}.painted()")
    return share, left, right
