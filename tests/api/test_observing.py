"""What shows of a request in metrics, log and headers, and what may not."""

import io
import json
import logging
import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from api.app import create_app
from api.observing import JSONLines, log_to
from api.settings import Settings
from store.database import Store
from store.errors import LimitError
from tests.api.conftest import serving
from tests.api.test_service import Broken


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """The log, as the service has it."""
    loggers = [logging.getLogger(name) for name in ("circuitstore", "uvicorn")]
    before = [(logger.handlers, logger.level, logger.propagate) for logger in loggers]
    stream = io.StringIO()
    log_to(stream, requests=True)
    yield stream
    for logger, (handlers, level, propagate) in zip(loggers, before, strict=True):
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


def samples(client: TestClient) -> dict[tuple[str, str], float]:
    """Values of metrics by name and labels."""
    text = client.get("/metrics").text
    return {
        (sample.name, ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_requests_are_counted_by_route_and_status_and_never_by_what_was_asked(world: Store) -> None:
    with serving(world) as client:
        for path in ("/circuits/one", "/circuits/two", "/circuits", "/nowhere", "/else"):
            client.get(path)
        client.request("BREW", "/circuits")
        found = samples(client)
    name = "circuitstore_requests_total"
    assert found[name, "method=GET,route=/circuits/{uid},status=404"] == 2
    assert found[name, "method=GET,route=/circuits,status=200"] == 1
    assert found[name, "method=GET,route=none,status=404"] == 2
    assert [key for key in found if "method=other" in key[1]]
    assert found["circuitstore_request_seconds_count", "route=/circuits/{uid}"] == 2
    assert found["circuitstore_requests_in_flight", ""] == 1  # the one that asks
    assert found["process_resident_memory_bytes", ""] > 0
    assert not [key for key in found if "one" in key[1].replace("none", "")]


def test_failures_of_the_database_are_counted() -> None:
    with serving(Broken(LimitError("slow"))) as client:  # type: ignore[arg-type]
        client.get("/circuits")
        assert samples(client)["circuitstore_database_errors_total", "error=LimitError"] == 1


def test_each_request_is_a_line_of_json_without_what_was_asked(world: Store, lines: io.StringIO) -> None:
    with serving(world) as client:
        client.get("/features/secret-uid?format=csv", headers={"Authorization": "Bearer secret-key"})
        client.get("/circuits?name=secret-name")
    told = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [(line["method"], line["route"], line["status"]) for line in told] == [
        ("GET", "/features/{uid}", 404),
        ("GET", "/circuits", 200),
    ]
    assert all(line["ms"] > 0 and line["level"] == "info" and line["time"] for line in told)
    assert "secret" not in json.dumps(told)


def test_a_defect_is_logged_with_its_traceback_and_the_requests_id(lines: io.StringIO) -> None:
    app = create_app(Broken(RuntimeError("inside")), Settings())  # type: ignore[arg-type]
    with TestClient(app, raise_server_exceptions=False) as client:
        response = client.get("/circuits", headers={"X-Request-ID": "mine-1"})
    assert response.status_code == 500
    told = [json.loads(line) for line in lines.getvalue().splitlines()]
    error = next(line for line in told if line["level"] == "error")
    assert error["request_id"] == "mine-1"
    assert "RuntimeError: inside" in error["exception"]
    assert (told[-1]["status"], told[-1]["request_id"]) == (500, "mine-1")


@pytest.mark.parametrize("given", ["abc", "A-b_c.9", "x" * 64])
def test_a_well_formed_request_id_is_kept(served: TestClient, given: str) -> None:
    assert served.get("/models", headers={"X-Request-ID": given}).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, 'a"b', "é"])
def test_any_other_is_replaced(served: TestClient, given: str) -> None:
    made = served.get("/models", headers=[(b"X-Request-ID", given.encode())]).headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{32}", made)
    assert served.get("/nowhere").headers["x-request-id"] != made


def test_without_a_request_a_line_has_no_id() -> None:
    record = logging.LogRecord("circuitstore", logging.WARNING, "", 0, "said %s", ("so",), None)
    line = json.loads(JSONLines().format(record))
    assert (line["message"], line["level"]) == ("said so", "warning")
    assert "request_id" not in line
