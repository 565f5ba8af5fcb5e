"""What is missing, wrong, away, tiny or huge: each is said, with what to do about it."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from api.keys import Keys
from api.settings import Settings
from store.database import Rows, Store, open_store
from store.errors import StoreError
from tests.browser import listening
from tests.explorer.addresses import addresses
from tests.explorer.layout import painted
from tests.explorer.visiting import Readers
from tests.explorer.world import AGREEMENT, BARE, GRAPH, HEADS, LONELY, LONG, OPPOSITES

_SPINNER = """new MutationObserver(() => {
  if (document.querySelector(".spinner")) window.spinnerAt ??= performance.now();
}).observe(document, {subtree: true, childList: true})"""


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/circuits/none", "no Circuit 'none' is stored"),
        ("/circuits/a%20b", "'a b' is not a uid"),
        ("/circuit/none", "No view stands at /circuit/none"),
        ("/circuits/%ff", "not a uid"),
        ("/features/none", "no Feature 'none' is stored"),
        ("/clusterings/none", "no Clustering 'none' is stored"),
        ("/clusters/none:0", "no Clustering 'none' is stored"),
        (
            "/clusters/clustering:toy:k-means:attribution-graph:0:77",
            "no Cluster 'clustering:toy:k-means:attribution-graph:0:77' is stored",
        ),
        (f"/compare?left=none&right={AGREEMENT}", "no Circuit 'none' is stored"),
        ("/ablations?circuit=none", "no Circuit 'none' is stored"),
        ("/queries/none", "The catalogue has no query none"),
        (f"/queries/strongest_paths?circuit={AGREEMENT}&limit=x", "from 1 to"),
        (f"/circuits/{AGREEMENT}?node={OPPOSITES}:metric:4", "This node is not among those loaded"),
        (f"/circuits/{AGREEMENT}?panel=paths&from={OPPOSITES}:metric:4", "No path joins the two"),
        (f"/circuits/{AGREEMENT}?panel=paths&path=5000", "Paths"),
        (f"/circuits/{AGREEMENT}?group=clustering:none", "35 of 35"),
        (f"/circuits/{AGREEMENT}?nodes=-3&edges=x", "35 of 35"),
        ("/?task=none", "No circuit is like this"),
        ("/?aggregation=none", "agreement 1"),
        ("/?sort=none&shown=-1&chosen=none", "agreement 1"),
        (f"/ablations?circuit={AGREEMENT}&baseline=none&errors=none", "Ablations of agreement 1"),
    ],
)
def test_a_stale_or_mistaken_address_says_what_is_wrong(
    reader_of: Readers, one_site: str, path: str, said: str
) -> None:
    reader = reader_of(one_site)
    reader.expected |= {400, 404}
    page = reader.open(path)
    assert said in reader.text()
    assert page.locator("#view a, #view button").count() > 0  # a way out


@pytest.mark.parametrize(
    ("circuit", "counts", "said"),
    [
        (LONELY, ("1 of 1", "0 of 0"), ["1:3 @0", "Strongest paths"]),
        (HEADS, ("29 of 29", "300 of 322"), ["an attention head", "an MLP"]),
        (
            GRAPH,
            ("31 of 31", "124 of 124"),
            ["Most influence on the output".upper(), "What the model says next".upper()],
        ),
        (LONG, ("60 of 401", "59 of 400"), ["feature", "the metric"]),
    ],
    ids=["one node", "no positions", "no effects", "5,000 tokens"],
)
def test_a_circuit_of_any_shape_is_drawn(
    reader_of: Readers, odd_site: str, circuit: str, counts: tuple[str, str], said: list[str]
) -> None:
    reader = reader_of(odd_site)
    page = reader.open(f"/circuits/{circuit}")
    assert tuple(page.locator(".slider output").all_inner_texts()) == counts
    assert [text for text in said if text not in reader.text()] == []
    assert painted(page)[0] > 0.001
    for panel in ("paths", ""):
        reader.open(f"/circuits/{circuit}?panel={panel}")
        assert page.locator(".state.failed").count() == 0


@pytest.mark.parametrize("n", [4, 8, 12, 31])
def test_the_nodes_that_are_drawn_are_those_that_the_service_chooses(reader_of: Readers, odd_site: str, n: int) -> None:
    reader = reader_of(odd_site)
    page = reader.open(f"/circuits/{GRAPH}?nodes={n}&edges=1000")
    part = reader.twin()
    logits = sum(row["kind"] == "logit" for row in part["nodes"]["rows"])
    assert logits >= min(2, n // 4)
    assert page.locator(".slider output").all_inner_texts() == [f"{n} of 31", f"{len(part['edges']['rows'])} of 124"]


def test_all_edges_of_a_node_are_counted_and_the_strongest_shown(reader_of: Readers, odd_site: str) -> None:
    reader = reader_of(odd_site)
    (metric,) = reader.json(f"/queries/top_nodes?circuit={LONG}&kind=metric")["rows"]
    page = reader.open(f"/circuits/{LONG}?node={metric['uid']}")
    panel = page.get_by_role("region", name="Pinned node")
    assert panel.locator("h3").all_inner_texts() == ["ACTED ON BY 400"]
    assert panel.locator(".bars li").count() == 12
    strongest = reader.json(f"/queries/node_edges?node={metric['uid']}&limit=12")["rows"]
    assert panel.locator(".bars .number").all_inner_texts() == reader.as_read(row["weight"] for row in strongest)
    panel.get_by_role("link", name="and 388 more").click()
    reader.settle()
    assert "400 rows" in reader.text()


def test_a_circuit_of_no_nodes_says_so(reader_of: Readers, odd_site: str) -> None:
    reader = reader_of(odd_site)
    reader.open(f"/circuits/{BARE}")
    assert "This circuit has no nodes" in reader.text()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (f"/ablations?circuit={GRAPH}", "circuitstore ablate RECIPE"),
        (f"/compare?left={GRAPH}&right={BARE}", "They share nothing"),
        (f"/compare?left={BARE}&right={BARE}", "Nothing to compare"),
        (f"/queries/evidence?circuit={GRAPH}", "Nothing is found"),
    ],
)
def test_what_was_never_measured_names_the_command_that_measures_it(
    reader_of: Readers, odd_site: str, path: str, said: str
) -> None:
    reader = reader_of(odd_site)
    reader.open(path)
    assert said in reader.text()


@pytest.fixture(scope="module")
def empty_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    url = f"ladybug:{tmp_path_factory.mktemp('empty') / 'store.lbug'}"
    with closing(open_store(url)) as store, listening(store) as address:
        yield address


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/", "make demo"),
        ("/clusterings", "circuitstore"),
        ("/ablations", "circuitstore ablate RECIPE"),
        ("/compare", "Choose two circuits"),
        ("/queries", "Recurring features"),
        ("/queries/recurring_features", "Nothing is found"),
    ],
)
def test_an_empty_store_says_how_to_fill_it(reader_of: Readers, empty_site: str, path: str, said: str) -> None:
    reader = reader_of(empty_site)
    page = reader.open(path)
    assert said in reader.text()
    assert page.locator(".state.failed").count() == 0


def test_pictures_are_taken_of_what_is_stored(reader_of: Readers, empty_site: str) -> None:
    kept = addresses(reader_of(empty_site).json)
    assert sorted(kept.values()) == ["/", "/ablations", "/clusterings", "/queries", "/queries/recurring_features"]


class Wavering:
    """A store that goes away and comes back, or takes its time."""

    def __init__(self, store: Store, takes_s: float = 0.0) -> None:
        self._store = store
        self.is_away = False
        self._takes_s = takes_s

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def run(self, *asked: Any, **how: Any) -> Rows:
        if self.is_away:
            raise StoreError("no database answers at bolt://localhost:7687")
        time.sleep(self._takes_s)
        return self._store.run(*asked, **how)

    def version(self, **how: Any) -> str:
        if self.is_away:
            raise StoreError("no database answers at bolt://localhost:7687")
        return self._store.version(**how)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        f"/circuits/{LONELY}",
        "/clusterings",
        "/queries/runs",
        "/ablations",
        f"/compare?left={LONELY}&right={HEADS}",
    ],
)
def test_a_database_that_went_away_is_said_to_and_all_is_well_once_it_is_back(
    reader_of: Readers, odd_store: Store, path: str
) -> None:
    wavering = Wavering(odd_store)
    with listening(wavering) as site:
        reader = reader_of(site)
        reader.expected.add(503)
        wavering.is_away = True
        page = reader.open(path)
        assert "The database is away" in reader.text()
        assert "no database answers at bolt://localhost:7687" in reader.text()
        wavering.is_away = False
        page.get_by_role("button", name="Try again").first.click()
        expect(page.locator(".state.failed")).to_have_count(0)
        reader.settle()
        assert page.locator("h1").count() == 1


def test_a_spinner_comes_only_once_an_answer_takes_long(reader_of: Readers, odd_store: Store) -> None:
    with listening(Wavering(odd_store, takes_s=1.5)) as site:
        reader = reader_of(site)
        reader.page.add_init_script(_SPINNER)
        page = reader.open("/clusterings")
        asked = page.evaluate(
            "performance.getEntriesByType('resource').find(one => one.name.includes('/queries')).startTime"
        )
        shown = page.evaluate("window.spinnerAt")
        assert 290 < shown - asked < 1500
        assert page.locator(".spinner").count() == 0
        assert page.get_by_role("table").count() == 1


def test_what_is_typed_stays_while_answers_arrive(reader_of: Readers, odd_store: Store) -> None:
    with listening(Wavering(odd_store, takes_s=0.2)) as site:
        reader = reader_of(site)
        page = reader.page
        page.goto(site)
        page.get_by_role("searchbox").press_sequentially("imported graph", delay=40)
        expect(page.get_by_role("link", name="heads")).to_have_count(0)
        expect(page.get_by_role("link", name="imported graph")).to_have_count(1)
        assert page.get_by_role("searchbox").input_value() == "imported graph"
        reader.settle()


def test_a_service_that_was_stopped_is_said_to(reader_of: Readers, odd_store: Store) -> None:
    with listening(odd_store) as site:
        reader = reader_of(site)
        page = reader.open("/")
    reader.expected.add("net::ERR_CONNECTION_REFUSED")
    page.get_by_role("link", name="Clusterings").click()
    expect(page.locator("#view")).to_contain_text("circuitstore serve")


_NO_STORAGE = """Object.defineProperty(window, "sessionStorage", {get() { throw new DOMException("blocked"); }})"""


@pytest.mark.parametrize("script", ["", _NO_STORAGE], ids=["storage", "storage blocked"])
def test_where_keys_are_needed_one_is_asked_for_until_it_is_right(
    reader_of: Readers, odd_store: Store, tmp_path: Path, script: str
) -> None:
    keys = Keys(tmp_path / "keys.json")
    _, secret = keys.add("me", ["read"])
    with listening(odd_store, settings=Settings(require_keys=True, keys=keys.path)) as site:
        reader = reader_of(site)
        reader.expected.add(401)
        reader.page.add_init_script(script)
        page = reader.open("/")
        for text in ("wrong", secret):
            assert "This service needs an API key" in reader.text()
            page.locator("#view").get_by_label("Key").fill(text)
            page.get_by_role("button", name="Use it").first.click()
            reader.settle()
        page.get_by_role("link", name="lonely").click()
        reader.settle()
        assert "1 of 1" in reader.text()
        assert secret not in page.url
        with page.expect_download() as saved:
            page.locator("a.twin").first.click()
        assert LONELY in saved.value.path().read_text()


def _held(store: Store, seconds: float) -> Any:
    """A service whose database takes this long, and may take no longer than ten seconds."""
    return listening(Wavering(store, takes_s=seconds), settings=Settings(time_limit=10))


def test_a_long_wait_says_how_long_it_is_and_can_be_stopped(reader_of: Readers, odd_store: Store) -> None:
    with _held(odd_store, 6) as site:
        page = reader_of(site).page
        page.goto(f"{site}/queries/recurring_features")
        expect(page.locator("#view")).to_contain_text("s of at most 10")
        assert 2 <= page.locator("progress").evaluate("bar => bar.value") < 6
        page.get_by_role("button", name="Stop").click()
        expect(page.locator("#view")).to_contain_text("Stopped before an answer came")
        page.get_by_role("button", name="Ask again").click()
        expect(page.locator(".spinner")).to_have_count(1)
        expect(page.locator("#view")).to_contain_text("Nothing is found", timeout=15_000)


def test_what_nobody_waits_for_is_given_up(reader_of: Readers, odd_store: Store) -> None:
    with _held(odd_store, 5) as site:
        reader = reader_of(site)
        failed: list[str] = []
        reader.page.on("requestfailed", lambda request: failed.append(request.url))
        reader.page.goto(f"{site}/clusterings")
        expect(reader.page.locator(".spinner")).to_have_count(1)
        with reader.page.expect_event("requestfailed"):
            reader.page.keyboard.press("4")
        assert [url for url in failed if "/queries/clusterings" not in url] == []
        reader.settle()
        assert "Recurring features" in reader.text()
