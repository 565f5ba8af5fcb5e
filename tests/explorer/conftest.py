"""The explorer in a real Chromium, over a real service on each of the two databases."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from store.database import Store, open_store
from tests.browser import chromium, listening
from tests.conftest import empty_store
from tests.explorer.visiting import Reader, Readers, readers
from tests.explorer.world import odd, world
from tests.queries.loading import write
from tests.queries.world import Rows


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="package")
def one_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a service over the world, for what is no matter of the database."""
    with _world_at(f"ladybug:{tmp_path_factory.mktemp('world')}/store.lbug", tmp_path_factory) as address:
        yield address


@pytest.fixture(scope="module", params=["ladybug", "neo4j"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same, once for each database."""
    if request.param == "ladybug":
        yield request.getfixturevalue("one_site")
    else:
        with _world_at(empty_store(request, Path()), tmp_path_factory) as address:
            yield address


@pytest.fixture(scope="package")
def odd_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("odd")
    with closing(stored(f"ladybug:{folder / 'store.lbug'}", folder, odd())) as store:
        yield store


@pytest.fixture(scope="package")
def odd_site(odd_store: Store) -> Iterator[str]:
    """The address of a service over what is odd or hostile."""
    with listening(odd_store) as address:
        yield address


@pytest.fixture
def reader_of(browser: Browser) -> Iterator[Readers]:
    with readers(browser) as made:
        yield made


@pytest.fixture
def reader(reader_of: Readers, site: str) -> Reader:
    return reader_of(site)


@contextmanager
def _world_at(url: str, folders: pytest.TempPathFactory) -> Iterator[str]:
    with closing(stored(url, folders.mktemp("bundle"), world())) as store, listening(store) as address:
        yield address


def stored(url: str, folder: Path, rows: Rows) -> Store:
    """A store of these rows, open to be read."""
    with closing(open_store(url)) as writable:
        writable.load(write(folder / "bundle", rows))
    return open_store(url, read_only=True)
