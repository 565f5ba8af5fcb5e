"""What tests stand on: both databases, other projects' files, and the rule that CI skips nothing."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings

from store.database import Store, open_store
from tests.neo4j_server import Neo4j, Unavailable, a_neo4j

settings.register_profile("circuitstore", deadline=None)  # a busy machine is no fault
settings.load_profile("circuitstore")

_LONGEST = ("tests/project/test_readme.py", "tests/store/", "tests/api/test_jobs.py", "tests/program/")

IN_CI = os.environ.get("CI", "").lower() == "true"


@pytest.fixture(scope="session", autouse=True)
def _away_from_the_users_own_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test may touch what the one who runs it has stored."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CIRCUITSTORE_STORE", f"ladybug:{tmp_path_factory.mktemp('default')}/store.lbug")
        patch.setenv("CIRCUITSTORE_KEYS", f"{tmp_path_factory.mktemp('keys')}/keys.json")
        patch.setenv("CIRCUITSTORE_HOSTS", "testserver")  # what Starlette's TestClient calls itself
        patch.setenv("CIRCUITSTORE_REQUIRE_KEYS", "false")
        yield


@pytest.fixture(scope="session")
def neo4j(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neo4j]:
    """A running Neo4j, whose user and password are in the environment that circuitstore reads."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(a_neo4j(tmp_path_factory.mktemp("neo4j")))
        except Unavailable as reason:
            no_skip_in_ci(f"no Neo4j to be had: {reason}")
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("CIRCUITSTORE_NEO4J_USER", server.user)
        patch.setenv("CIRCUITSTORE_NEO4J_PASSWORD", server.password)
        yield server


@pytest.fixture(scope="session")
def neo4j_url(neo4j: Neo4j) -> str:
    """The URL of a running Neo4j. It may hold what other tests left: see `empty_neo4j_url`."""
    return neo4j.url


@pytest.fixture
def empty_neo4j_url(neo4j: Neo4j) -> str:
    """The URL of a running Neo4j that holds nothing."""
    neo4j.empty()
    return neo4j.url


@pytest.fixture
def ladybug_url(tmp_path: Path) -> str:
    """The URL of an embedded store that does not exist yet."""
    return f"ladybug:{tmp_path / 'store.lbug'}"


def empty_store(request: pytest.FixtureRequest, folder: Path) -> str:
    """The URL of an empty store in the database that is the fixture's parameter. folder: for what is embedded."""
    if request.param == "ladybug":
        return f"ladybug:{folder / 'store.lbug'}"
    server: Neo4j = request.getfixturevalue("neo4j")
    server.empty()
    return server.url


@pytest.fixture(params=["ladybug", "neo4j"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store, once for each database."""
    return empty_store(request, tmp_path)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An open, empty store, once for each database."""
    with open_store(store_url) as opened:
        yield opened


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of other projects' files, which this repository does not hold."""
    named = os.environ.get("CIRCUITSTORE_TEST_DATA")
    if not named:
        no_skip_in_ci("it reads other projects' files: set CIRCUITSTORE_TEST_DATA to their folder")
    if not Path(named).is_dir():
        pytest.fail(f"CIRCUITSTORE_TEST_DATA names {named}, which is no folder")
    return Path(named)


def no_skip_in_ci(reason: str) -> NoReturn:
    """Skip the test, unless CI=true: there it fails."""
    if IN_CI:
        pytest.fail(f"{reason} (CI=true allows no skip)")
    pytest.skip(reason)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files are begun first, so that no process waits long for another in the end."""
    items.sort(key=lambda item: not item.nodeid.startswith(_LONGEST))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    skipped = _skipped(config)
    if skipped and IN_CI:
        terminalreporter.write_line(f"CI=true allows no skip, and {skipped} were skipped", red=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if IN_CI and _skipped(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _skipped(config: pytest.Config) -> int:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return len(reporter.stats.get("skipped", [])) if reporter else 0
