"""A Neo4j for the tests: the one that is named, else one in a container, else one from its jars."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import docker
from neo4j import Driver, GraphDatabase
from testcontainers.community.neo4j import Neo4jContainer

from store.errors import StoreError
from store.server.neo4j import HOST, free_port, opening_on, running

IMAGE = "neo4j:5.26-community"
PASSWORD = "circuitstore-tests"


class Unavailable(Exception):
    """No Neo4j can be had; the message says what was tried."""


class Neo4j:
    """A server that tests may fill and empty."""

    def __init__(self, url: str, user: str, password: str, browser: str = "", service_port: int = 0) -> None:
        """browser: the page of its Browser, '' where it is not ours to set up. service_port: where that looks for the
        HTTP service."""
        self.browser = browser
        self.service_port = service_port
        self.url = url
        self.user = user
        self.password = password
        self.driver: Driver = GraphDatabase.driver(url, auth=(user, password))

    def empty(self) -> None:
        """Remove every node and relationship; constraints and indexes stay."""
        with self.driver.session() as session:
            session.run("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 20000 ROWS").consume()


@contextmanager
def a_neo4j(folder: Path) -> Iterator[Neo4j]:
    """Raises Unavailable where none of the three ways leads to a server."""
    with ExitStack() as stack:
        server = _named() or _in_a_container(stack) or _from_jars(stack, folder)
        stack.enter_context(server.driver)
        server.driver.verify_connectivity()
        yield server


def _named() -> Neo4j | None:
    url = os.environ.get("CIRCUITSTORE_TEST_NEO4J_URI")
    user = os.environ.get("CIRCUITSTORE_NEO4J_USER", "neo4j")
    return Neo4j(url, user, os.environ.get("CIRCUITSTORE_NEO4J_PASSWORD", "")) if url else None


def _in_a_container(stack: ExitStack) -> Neo4j | None:
    try:
        with docker.from_env(timeout=5) as engine:
            engine.ping()
        container = stack.enter_context(Neo4jContainer(IMAGE, password=PASSWORD))
    except (docker.errors.DockerException, OSError) as reason:
        print(f"no Neo4j in a container: {reason}")
        return None
    return Neo4j(container.get_connection_url(), "neo4j", PASSWORD)


def _from_jars(stack: ExitStack, folder: Path) -> Neo4j:
    port = free_port()
    try:
        started = stack.enter_context(running(folder, password=PASSWORD, settings=opening_on(f"http://{HOST}:{port}")))
    except StoreError as reason:
        raise Unavailable(
            f"CIRCUITSTORE_TEST_NEO4J_URI is not set, no container engine answers, and {reason}"
        ) from reason
    return Neo4j(started.url, "neo4j", PASSWORD, started.browser, port)
