"""What readers come for, walked in a real browser on both databases: with the mouse, and with the keyboard alone."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Locator, Page, expect

from api.settings import Settings
from store.database import Store
from tests.browser import listening
from tests.explorer.visiting import Reader, Readers
from tests.explorer.world import AGREEMENT, OPPOSITES
from tests.queries.world import feature

_ON_A_FEATURE = """() => {
  const canvas = document.querySelector(".graph canvas");
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.color = "var(--feature)";
  const wanted = getComputedStyle(probe).color.match(/\\d+/g).slice(0, 3).join();
  probe.remove();
  const {width, height} = canvas, {data} = canvas.getContext("2d").getImageData(0, 0, width, height);
  const isFeature = (x, y) => data.slice(4 * (y * width + x), 4 * (y * width + x) + 3).join() === wanted;
  for (let y = 4; y < height - 4; y += 2)
    for (let x = 4; x < width - 4; x += 2)
      if ([[0, 0], [3, 0], [-3, 0], [0, 3], [0, -3]].every(([dx, dy]) => isFeature(x + dx, y + dy)))
        return [x * canvas.clientWidth / width, y * canvas.clientHeight / height];
}"""


def test_three_clicks_lead_from_the_circuits_to_a_confirmed_path(reader: Reader) -> None:
    page = reader.open("/")
    page.get_by_role("link", name="agreement 1").click()
    page.get_by_role("button", name="Confirmed paths").click()
    page.locator("button.path").first.click()
    chosen = page.locator(".paths li.chosen")
    expect(chosen.locator(".tag")).to_have_text("confirmed")
    reader.settle()
    path = _path(reader)
    assert all(observed / weight >= 0.5 for observed, weight in zip(path["observed"], path["weights"], strict=True))
    _shows_edges(reader, chosen, path)
    again = chosen.inner_text()
    page.reload()  # who is sent the address sees the same
    expect(chosen).to_have_text(again, use_inner_text=True)


def test_a_circuit_says_by_an_example_what_it_is_of_and_what_it_restores(reader: Reader) -> None:
    reader.open(f"/circuits/{AGREEMENT}")
    assert "For example “The keys” → “·are”, not “·is”; patched with “The key”" in reader.text()
    curve = reader.json(f"/queries/ablation_curve?circuit={AGREEMENT}")["rows"]
    sizes = [row for row in curve if row["n_edges"] is None and row["n_nodes"]]
    enough = next((row for row in sizes if row["faithfulness"] >= 0.9), sizes[-1])
    assert f"Its {enough['n_nodes']} strongest features alone restore" in reader.text()


def test_what_is_drawn_is_what_its_address_for_programs_gives(reader: Reader) -> None:
    for settings in (
        "nodes=9&edges=12",
        "errors=off",
        "weights=observed&nodes=20",
        "errors=off&weights=observed&nodes=2",
    ):
        page = reader.open(f"/circuits/{AGREEMENT}?{settings}")
        part = reader.twin()
        counts = [
            f"{len(part['nodes']['rows'])} of {part['n_nodes']}",
            f"{len(part['edges']['rows'])} of {part['n_edges']}",
        ]
        assert page.locator(".slider output").all_inner_texts() == counts


def test_ends_of_paths_are_chosen(reader: Reader) -> None:
    page = reader.open(f"/circuits/{AGREEMENT}?panel=paths")
    ends = {name: page.get_by_role("combobox", name=name, exact=True) for name in ("from", "to")}
    source = ends["from"].locator("option[value*=':token:']").first.get_attribute("value")
    target = ends["to"].locator("option[value*=':feature:3:']").first.get_attribute("value")
    ends["from"].select_option(source)
    ends["to"].select_option(target)
    reader.settle()
    rows = reader.twin(page.get_by_role("region", name="Paths"))["rows"]
    assert rows
    assert all((row["nodes"][0], row["nodes"][-1]) == (source, target) for row in rows)
    assert page.locator(".paths li").count() == len(rows)


def test_what_a_feature_does_elsewhere_is_found(reader: Reader) -> None:
    page = reader.open(f"/circuits/{AGREEMENT}?node={AGREEMENT}:feature:1:1:0")
    page.get_by_role("region", name="Pinned node").get_by_role("link", name="Feature").first.click()
    expect(page.locator("h1")).to_contain_text("1:1")
    reader.settle()
    circuits = page.get_by_role("region", name="In circuits")
    stored = {row["name"] for row in reader.json(f"/circuits?feature={feature(1, 1)}")["rows"]}
    assert len(stored) > 1
    assert stored == set(circuits.locator("tbody a").all_inner_texts())
    circuits.get_by_role("link", name="opposites 3").click()
    expect(page.locator("h1")).to_have_text("opposites 3")
    expect(page.get_by_role("region", name="Pinned node")).to_contain_text("feature 1:1")


def test_two_tasks_are_compared(reader: Reader) -> None:
    page = reader.open("/")
    for name in ("agreement 1", "opposites 3"):
        page.get_by_role("checkbox", name=name).check()
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_role("combobox", name="Left")).to_have_value("agreement 1")
    expect(page.get_by_role("combobox", name="Right")).to_have_value("opposites 3")
    reader.settle()
    found = [row["found_in"] for row in reader.twin()["rows"]]
    segments = page.get_by_role("group", name="Show").get_by_role("button")
    counts = [found.count("both"), found.count("one"), found.count("other")]
    assert [int(re.sub(r"\D", "", text)) for text in segments.all_inner_texts()] == [len(found), *counts]
    segments.filter(has_text="both").click()
    reader.settle()
    assert page.get_by_role("table", name="Parts of both circuits").locator("tbody tr").count() == counts[0]


def test_the_keyboard_alone_pins_a_node_and_opens_a_path(reader: Reader) -> None:
    page = reader.open("/")
    _tab_to(page, page.get_by_role("link", name="agreement 1"))
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("agreement 1")
    reader.settle()
    pinned = page.get_by_role("region", name="Pinned node")
    names = []
    for key in ("ArrowUp", "ArrowDown", "ArrowLeft"):
        page.keyboard.press(key)
        reader.settle()
        names.append(pinned.locator("h2").first.inner_text())
    assert len(set(names)) > 1
    page.keyboard.press("Escape")
    expect(pinned).to_have_count(0)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("pin the next node above")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    _tab_to(page, page.get_by_role("button", name="Strongest paths"))
    page.keyboard.press("Enter")
    _tab_to(page, page.locator("button.path").first)
    page.keyboard.press("Enter")
    expect(page.locator(".paths li.chosen table")).to_be_visible()
    for key, title in (("2", "Clusterings"), ("3", "Ablations"), ("4", "Ask"), ("1", "Circuits")):
        page.keyboard.press(key)
        expect(page.locator("h1")).to_have_text(title)
    page.keyboard.press("/")
    page.keyboard.type("opposites")
    expect(page.get_by_role("link", name="agreement 1")).to_have_count(0)
    reader.settle()


def test_pointing_at_a_node_shows_its_figures_and_a_click_pins_it(reader: Reader) -> None:
    page = reader.open(f"/circuits/{AGREEMENT}")
    canvas = page.locator(".graph canvas")
    x, y = page.evaluate(_ON_A_FEATURE)
    canvas.hover(position={"x": x, "y": y})
    tip = page.locator(".graph .tip")
    expect(tip).to_contain_text("feature")
    name = tip.locator("strong").inner_text()
    canvas.click(position={"x": x, "y": y})
    expect(page.get_by_role("region", name="Pinned node").locator("h2").first).to_have_text(name)
    assert re.search(r"node=[\w.:-]+:feature:", page.url)


def test_back_and_forward_go_step_by_step(reader: Reader) -> None:
    page = reader.open("/")
    page.get_by_role("link", name="agreement 1").click()
    page.locator(".bars button.link").first.click()
    pinned = page.get_by_role("region", name="Pinned node")
    name = pinned.locator("h2").first.inner_text()
    page.get_by_role("button", name="Paths into it").click()
    expect(page.get_by_role("region", name="Paths")).to_be_visible()
    page.go_back()
    expect(pinned.locator("h2").first).to_have_text(name)
    page.go_back()
    expect(page.get_by_role("region", name="Overview")).to_be_visible()
    page.go_back()
    expect(page.locator("h1")).to_have_text("Circuits")
    page.go_forward()
    page.go_forward()
    expect(pinned.locator("h2").first).to_have_text(name)
    reader.settle()


def test_sliders_and_switches_change_what_is_drawn_and_say_so(reader: Reader) -> None:
    page = reader.open(f"/circuits/{AGREEMENT}")
    nodes = page.locator(".slider output").first
    whole = reader.twin()
    total, errors = whole["n_nodes"], sum(row["kind"] == "error" for row in whole["nodes"]["rows"])
    assert nodes.inner_text() == f"{total} of {total}"
    page.get_by_role("button", name="Errors").click()
    expect(nodes).to_have_text(f"{total - errors} of {total}")
    page.get_by_role("button", name="Observed").click()
    expect(page.get_by_role("button", name="Observed")).to_have_attribute("aria-pressed", "true")
    slider = page.get_by_role("slider").first
    slider.focus()
    slider.press("Home")
    fewest = re.compile(rf"^[12] of {total}$")  # the strongest, and what it acts on
    expect(nodes).to_have_text(fewest)
    page.get_by_role("combobox", name="Group by").select_option(label="its supernodes")
    reader.settle()
    page.reload()
    expect(nodes).to_have_text(fewest)
    reader.settle()


def test_a_theme_is_kept(reader: Reader) -> None:
    page = reader.open("/")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(ground)
    page.keyboard.press("t")
    assert page.evaluate(ground) == light
    page.keyboard.press("t")
    dark = page.evaluate(ground)
    assert dark != light
    reader.open("/clusterings")
    assert page.evaluate(ground) == dark


@pytest.mark.parametrize(
    ("path", "forms"),
    [(f"/circuits/{AGREEMENT}", "PNG SVG"), (f"/ablations?circuit={AGREEMENT}", "PNG SVG CSV"),
     (f"/compare?left={AGREEMENT}&right={OPPOSITES}", "PNG SVG CSV"), (f"/features/{feature(1, 1)}", "PNG SVG CSV")],
    ids=["circuit", "ablations", "compare", "feature"],
)  # fmt: skip
def test_pictures_and_their_data_are_saved(
    reader_of: Readers, one_site: str, tmp_path: Path, path: str, forms: str
) -> None:
    page = reader_of(one_site).open(path)
    for form in forms.split():
        with page.expect_download() as saved:
            page.get_by_role("button", name=form, exact=True).first.click()
        saved.value.save_as(tmp_path / form)
        assert saved.value.suggested_filename.endswith(f".{form.lower()}")
        _IS_A[form](tmp_path / form)


def test_a_question_is_asked_by_a_form_and_its_answer_sorted(reader: Reader) -> None:
    page = reader.open("/queries")
    page.get_by_role("searchbox").fill("recurring features")
    page.get_by_role("link", name="Recurring features").click()
    page.get_by_role("spinbutton", name="limit").fill("3")
    page.get_by_role("button", name="Run").click()
    reader.settle()
    assert "limit=3" in page.url
    cells = page.locator("#view tbody tr td:first-child")
    rows = reader.twin()["rows"]
    assert cells.count() == len(rows) == 3
    page.locator("thead button", has_text="layer").click()
    expect(page.locator("th", has_text="layer")).to_have_attribute("aria-sort", "descending")
    layers = [int(text) for text in page.locator("#view tbody tr td:nth-child(2)").all_inner_texts()]
    assert layers == sorted((row["layer"] for row in rows), reverse=True)


def test_free_cypher_is_asked_by_who_types_it_and_never_by_an_address(
    reader_of: Readers, odd_store: Store, one_site: str
) -> None:
    statement = "MATCH (c:Circuit) RETURN c.name AS name, c.n_nodes AS nodes ORDER BY name"
    with listening(odd_store, settings=Settings(cypher=True)) as site:
        reader = reader_of(site)
        page = reader.open(f"/queries/cypher?text={statement}")
        assert page.get_by_role("textbox").input_value() == statement
        assert page.get_by_role("table").count() == 0
        page.get_by_role("button", name="Run").click()
        expect(page.get_by_role("table").get_by_role("cell", name="lonely")).to_be_visible(timeout=20_000)
        page.get_by_role("textbox").fill("CREATE (n:Circuit {uid: 'x'})")
        reader.expected |= {400, 403}
        page.get_by_role("textbox").press("Control+Enter")
        expect(page.get_by_role("alert")).to_contain_text("read")
        reader.settle()
    reader = reader_of(one_site)
    reader.open("/queries/cypher")
    assert "CIRCUITSTORE_CYPHER=true" in reader.text()


def _is_png(path: Path) -> None:
    assert path.read_bytes().startswith(b"\x89PNG")


def _is_svg(path: Path) -> None:
    root = ElementTree.parse(path).getroot()  # noqa: S314 (it is our own)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert len(list(root.iter())) > 10


def _is_csv(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert len(lines) > 1
    assert "," in lines[0]


_IS_A: dict[str, Callable[[Path], None]] = {"PNG": _is_png, "SVG": _is_svg, "CSV": _is_csv}


def _path(reader: Reader) -> dict[str, Any]:
    """The one that the address names."""
    found = re.search(r"path=(\d+)", reader.page.url)
    assert found
    path: dict[str, Any] = reader.twin(reader.page.get_by_role("region", name="Paths"))["rows"][int(found[1]) - 1]
    return path


def _shows_edges(reader: Reader, chosen: Locator, path: dict[str, Any]) -> None:
    shown = [text.split("\t") for text in chosen.locator("tbody tr").all_inner_texts()]
    wanted = zip(reader.as_read(path["weights"]), reader.as_read(path["observed"]), strict=True)
    assert [cells[1:] for cells in shown][1:] == [list(pair) for pair in wanted]


def _tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until it has the focus."""
    wanted.wait_for()
    element = wanted.element_handle()
    for _ in range(80):
        if page.evaluate("one => one === document.activeElement", element):
            return
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", "focus is not seen"
    raise AssertionError("Tab does not lead there")
