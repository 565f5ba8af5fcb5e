"""The circuit view in a real Chromium: the first picture, from slider to redraw, panning, and how long it freezes.

Three circuits: the demo's size, 2,000 nodes and 20,000 edges, and 100,000 edges. The alternative is cytoscape.js's
canvas renderer with as many elements, at positions given to it, in the same browser; it is fetched for that by
`tests/explorer/vendor.sh`, and left out where that was not done.
"""

import argparse
import statistics
import sys
import tempfile
import time
from math import cos, sin
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from bench.paths_http import load
from bench.report import compare, heading
from bench.service import service
from store.bundle import write_bundle
from tests.browser import chromium
from tests.graphs import random_tables

SIZES = {"the demo's size": (77, 308), "20,000 edges": (2_000, 20_000), "100,000 edges": (5_000, 100_000)}
CYTOSCAPE = Path(__file__).parents[1] / "tests/explorer/node_modules/cytoscape/dist/cytoscape.min.js"
DRAWN = 5_000
"""Edges that the view draws at most."""

_SECONDS = 3.0
_DRAWN = "performance.getEntriesByName('circuit drawn').map(one => one.startTime + one.duration)"
_LONG_TASKS = """window.longTasks = [];
new PerformanceObserver(list => longTasks.push(...list.getEntries().map(one => one.duration)))
  .observe({type: 'longtask', buffered: true})"""
_FRAMES = """window.frames_ = [];
const tick = time => { frames_.push(time); requestAnimationFrame(tick) };
requestAnimationFrame(tick)"""
_SLIDE = """async ([id, value]) => {
  const slider = document.getElementById(`slider-${id}`);
  const started = performance.now();
  slider.value = value;
  slider.dispatchEvent(new Event('input', {bubbles: true}));
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  return performance.now() - started
}"""
_CYTOSCAPE = """async ([nNodes, pairs]) => {
  const at = i => ({x: (i % 60) * 34, y: Math.floor(i / 60) * 60});
  const nodes = [...Array(nNodes).keys()].map(i => ({data: {id: `n${i}`}, position: at(i)}));
  const edges = pairs.map(([s, t], i) => ({data: {id: `e${i}`, source: `n${s}`, target: `n${t}`}}));
  const started = performance.now();
  const cy = cytoscape({container: document.body, elements: [...nodes, ...edges], layout: {name: 'preset'},
    style: [{selector: 'edge', style: {'curve-style': 'haystack', width: 1}}]});
  await new Promise(done => cy.one('render', done));
  const drawn = performance.now() - started;
  let frames = 0;
  cy.on('render', () => { frames += 1 });
  const begun = performance.now();
  for (let i = 0; performance.now() - begun < 3000; i += 1) {
    cy.panBy({x: 5 * Math.sin(i / 9), y: 5 * Math.cos(i / 7)});
    await new Promise(done => requestAnimationFrame(done));
  }
  return [drawn, 1000 * frames / (performance.now() - begun)]
}"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--sizes", nargs="+", choices=list(SIZES), default=list(SIZES))
    given = options.parse_args()
    heading("The explorer's circuit view in a headless Chromium, drawn in software")
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        for size in given.sizes:
            measure(browser, folder, size)


def measure(browser: Browser, folder: str, size: str) -> None:
    n_nodes, n_edges = SIZES[size]
    tables = random_tables(0, 1, n_nodes=n_nodes, n_edges=n_edges, n_features=n_nodes, n_layers=12)
    bundle, url = Path(folder) / str(n_edges), f"ladybug:{folder}/{n_edges}.lbug"
    write_bundle(bundle, tables, {})
    load(url, bundle)
    circuit = tables["Circuit"]["uid"][0].as_py()
    with service(url) as served, browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        page = context.new_page()
        page.add_init_script(f"{_LONG_TASKS}; {_FRAMES}")
        page.goto(f"{served.url}/circuits/{circuit}")
        first = _first_picture(page)
        page.wait_for_timeout(2_000)  # until all of it is there
        print(f"  {size}: first picture {first:.0f} ms after navigation; opens on {_counts(page)}")
        steps = [("nodes", 100), ("edges", 100), ("edges", 60), ("edges", 90), ("nodes", 70)]
        slides = [page.evaluate(_SLIDE, list(step)) for step in steps * 3]
        print(f"    slider to redraw: median {statistics.median(slides):.0f} ms, longest {max(slides):.0f} ms")
        for slider in ("nodes", "edges"):
            page.evaluate(_SLIDE, [slider, 100])
        page.wait_for_timeout(1_000)
        drawn = page.evaluate("performance.getEntriesByName('circuit drawn').at(-1).duration")
        frames = _panning(page)
        print(f"    panning over {_counts(page)}: {frames:.0f} frames a second")
        longest = max(page.evaluate("window.longTasks"), default=0)
        print(f"    the page froze for {longest:.0f} ms at most", flush=True)
        if n_edges == SIZES["20,000 edges"][1]:
            _against_cytoscape(browser, tables, drawn)


def _first_picture(page: Page) -> float:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if drawn := page.evaluate(_DRAWN):
            return float(drawn[0])
        page.wait_for_timeout(20)
    sys.exit("the page drew nothing within 30 s")


def _counts(page: Page) -> str:
    nodes, edges = page.locator(".slider output").all_inner_texts()
    return f"{nodes} nodes, {edges} edges"


def _panning(page: Page) -> float:
    box = page.locator(".graph canvas").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate("frames_.length = 0")
    started, n = time.monotonic(), 0
    while time.monotonic() - started < _SECONDS:
        n += 1
        page.mouse.move(x + 150 * sin(n / 9), y + 80 * cos(n / 7))
    frames = page.evaluate("frames_.length") / (time.monotonic() - started)
    page.mouse.up()
    return float(frames)


def _against_cytoscape(browser: Browser, tables: dict[str, Any], ours_ms: float) -> None:
    if not CYTOSCAPE.exists():
        print("    cytoscape.js is not here to compare with: tests/explorer/vendor.sh fetches it")
        return
    place = {uid: number for number, uid in enumerate(tables["CircuitNode"]["uid"].to_pylist())}
    edges = tables["ATTRIBUTES_TO"].select(["source", "target"]).slice(0, DRAWN)
    pairs = [[place[row["source"]], place[row["target"]]] for row in edges.to_pylist()]
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        page = context.new_page()
        page.set_content("<body style='margin:0;height:100vh'></body>")
        page.add_script_tag(path=CYTOSCAPE)
        theirs_ms, frames = page.evaluate(_CYTOSCAPE, [len(place), pairs])
    compare(f"drawing {len(pairs):,} edges", [ours_ms / 1e3], "cytoscape.js, canvas", [theirs_ms / 1e3])
    print(f"    cytoscape.js pans {frames:.0f} times a second over them", flush=True)


if __name__ == "__main__":
    main()
