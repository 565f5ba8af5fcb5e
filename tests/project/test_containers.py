"""The compose file and the image, as far as they can be judged without a container engine."""

import re
from typing import Any

import yaml

from tests.project.repository import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_compose_refuses_to_start_without_a_password() -> None:
    for service, variable in (("neo4j", "NEO4J_AUTH"), ("service", "CIRCUITSTORE_NEO4J_PASSWORD")):
        value = COMPOSE["services"][service]["environment"][variable]
        assert re.search(r"\$\{CIRCUITSTORE_NEO4J_PASSWORD:\?.+\}$", value), value


def test_compose_keeps_the_data_checks_health_and_listens_on_this_machine_only() -> None:
    neo4j, service = COMPOSE["services"]["neo4j"], COMPOSE["services"]["service"]
    assert "neo4j-data:/data" in neo4j["volumes"]
    assert "neo4j-data" in COMPOSE["volumes"]
    assert neo4j["healthcheck"]["test"]
    assert service["depends_on"]["neo4j"]["condition"] == "service_healthy"
    assert all(port.startswith("127.0.0.1:") for one in (neo4j, service) for port in one["ports"])


def test_the_image_is_the_light_half_checks_its_health_and_does_not_run_as_root() -> None:
    assert "[ingest]" not in DOCKERFILE
    assert "HEALTHCHECK" in DOCKERFILE
    assert DOCKERFILE.index("USER circuitstore") < DOCKERFILE.index('CMD ["circuitstore", "serve"]')


def test_what_the_image_copies_is_not_ignored() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        word for line in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE) for word in line.split()
    }
    assert copied == kept
    assert all((ROOT / name).exists() for name in copied)
