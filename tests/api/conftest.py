"""The small world, served from each of the two databases."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from store.database import Store, open_store
from tests.conftest import empty_store
from tests.queries.loading import load_world

SEEDS = range(4)


@pytest.fixture(scope="module", params=["ladybug", "neo4j"])
def world_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a store that holds the small world, once for each database."""
    folder = tmp_path_factory.mktemp("served")
    url = empty_store(request, folder)
    fill(url, folder)
    return url


@pytest.fixture(scope="module")
def world(world_url: str) -> Iterator[Store]:
    with closing(open_store(world_url, read_only=True)) as opened:
        yield opened


@pytest.fixture(scope="module")
def served(world: Store) -> Iterator[TestClient]:
    with serving(world) as client:
        yield client


def fill(url: str, folder: Path) -> None:
    with closing(open_store(url)) as writable:
        load_world(writable, folder, SEEDS)


@contextmanager
def serving(store: Store, settings: Settings | None = None) -> Iterator[TestClient]:
    with TestClient(create_app(store, settings or Settings()), raise_server_exceptions=False) as client:
        yield client
