"""Only who may gets in, no more often and with no more than is let in, and no secret is told."""

import json
import logging
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from api.access import PUBLIC, is_loopback, keys_for, requires
from api.app import create_app
from api.buckets import Buckets
from api.keys import Keys, Scope
from api.settings import Settings, read_settings
from store.database import Rows, Store
from store.errors import NotFoundError, StoreError, UsageError
from tests.queries.loading import load_world
from tests.queries.world import circuit


class Empty:
    """A store that holds nothing."""

    url, dialect = "ladybug:empty", "ladybug"

    def run(self, *_: object, **__: object) -> Rows:
        return Rows(["uid"], [], False)

    def version(self, *, max_age: float = 0) -> str:
        return "empty"


class Away(Empty):
    def run(self, *_: object, **__: object) -> Rows:
        raise StoreError("the database went away")


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "config" / "keys.json")


def client_of(keys: Keys, **settings: object) -> TestClient:
    given = Settings(**{"host": "0.0.0.0", "require_keys": None, "keys": keys.path, **settings})  # type: ignore[arg-type]  # noqa: S104
    return TestClient(create_app(Empty(), given), raise_server_exceptions=False)  # type: ignore[arg-type]


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "localhost"])
def test_the_loopback_address_needs_no_key(host: str) -> None:
    assert keys_for(Settings(host=host, hosts="", require_keys=None)) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.org"])  # noqa: S104
def test_any_other_address_refuses_to_start_without_keys(keys: Keys, host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(UsageError, match=f"serving {host} needs API keys.*circuitstore keys add"):
        client_of(keys, host=host)
    with pytest.raises(UsageError, match="so keys are required"):
        client_of(keys, host=host, require_keys=False)
    keys.add("me", ["read"])
    client_of(keys, host=host)


def test_a_name_that_others_reach_the_loopback_address_by_needs_keys_too(keys: Keys) -> None:
    with pytest.raises(UsageError, match="serving for other hosts needs API keys"):
        client_of(keys, host="127.0.0.1", hosts="circuits.example.org")


def test_a_request_needs_a_key_that_is_there_in_a_header(keys: Keys) -> None:
    _, secret = keys.add("me", ["read"])
    with client_of(keys) as client:
        assert client.get("/circuits", headers=bearer(secret)).status_code == 200
        assert client.get("/circuits", headers={"X-API-Key": secret}).status_code == 200
        for headers in (
            {},
            bearer(""),
            bearer(secret[:-1]),
            bearer(secret + "x"),
            bearer("cs_00000000_x"),
            {"Authorization": f"Basic {secret}"},
            {"Cookie": f"key={secret}"},
        ):
            response = client.get("/circuits", headers=headers)
            assert response.status_code == 401, headers
            given = headers.get("Authorization", "").startswith("Bearer")
            assert ("this key is not known" in response.text) == given
            assert response.headers["www-authenticate"].startswith("Bearer")
            assert response.headers["content-type"] == "application/problem+json"
        for name in ("key", "api_key", "access_token", "X-API-Key"):
            assert client.get("/circuits", params={name: secret}).status_code == 401
        assert client.get("/metrics").status_code == 401
        assert client.get("/health").status_code == 200


def test_every_public_path_is_one_that_holds_nothing_of_the_store() -> None:
    documentation = ["/docs", "/openapi.json", "/redoc"]
    assert sorted(PUBLIC) == sorted([*documentation, "/health", "/neo4j/circuits.grass", "/neo4j/guide.html", "/ready"])


def test_the_documentation_is_for_everyone_and_its_examples_for_those_who_may_read(
    keys: Keys, store: Store, tmp_path: Path
) -> None:
    load_world(store, tmp_path, range(1))
    held = circuit(0)["Circuit"][0]["uid"]
    secrets = {scope: keys.add(scope, [scope])[1] for scope in ("read", "write")}
    given = Settings(host="0.0.0.0", require_keys=None, keys=keys.path)  # noqa: S104
    with TestClient(create_app(store, given)) as client:
        page = client.get("/docs")
        assert page.status_code == 200
        for path in re.findall(r'(?:src|href)="(/[^"]+)"', page.text):
            assert client.get(path).status_code == 200, path
        for headers in ({}, bearer("unknown"), bearer(secrets["write"])):
            assert held not in client.get("/openapi.json", headers=headers).text
        document = client.get("/openapi.json", headers=bearer(secrets["read"])).json()
        assert held in str(document)
        (scheme,) = document["security"]
        assert document["components"]["securitySchemes"] == {
            name: {"type": "apiKey", "in": "header", "name": "X-API-Key"} for name in scheme
        }
        assert "X-API-Key" in document["info"]["description"]
    with TestClient(create_app(store, Settings())) as client:
        document = client.get("/openapi.json").json()
        assert "security" not in document
        assert "Key" not in document["info"]["description"]


def test_a_key_made_or_revoked_meanwhile_counts_at_once(keys: Keys) -> None:
    keys.add("other", ["read"])
    with client_of(keys) as client:
        key, secret = Keys(keys.path).add("me", ["read"])
        assert client.get("/circuits", headers=bearer(secret)).status_code == 200
        Keys(keys.path).revoke(key.id)
        assert client.get("/circuits", headers=bearer(secret)).status_code == 401
        keys.path.unlink()
        assert client.get("/circuits", headers=bearer(secret)).status_code == 401


def test_keys_that_can_not_be_read_let_nobody_in(keys: Keys) -> None:
    _, secret = keys.add("me", ["read"])
    with client_of(keys) as client:
        keys.path.write_text(f'{{"keys": [{secret!r}]}}')
        response = client.get("/circuits", headers=bearer(secret))
    assert response.status_code == 503
    assert secret not in response.text


def test_scopes_are_kept(keys: Keys) -> None:
    secrets = {scope: keys.add(scope, [scope])[1] for scope in ("read", "write", "cypher")}
    app = create_app(Empty(), Settings(host="0.0.0.0", require_keys=None, keys=keys.path))  # type: ignore[arg-type]  # noqa: S104

    @app.post("/written", dependencies=[requires(Scope.write)])
    def written() -> str:
        return "done"

    with TestClient(app, raise_server_exceptions=False) as client:
        for scope, secret in secrets.items():
            assert client.get("/circuits", headers=bearer(secret)).status_code == (200 if scope == "read" else 403)
            wrote = client.post("/written", headers=bearer(secret))
            assert wrote.status_code == (200 if scope == "write" else 403)
            assert ("--scope may be given several times" in wrote.text) == (scope != "write")
            for off, why in (("/cypher", "CIRCUITSTORE_CYPHER"), ("/bundles", "CIRCUITSTORE_UPLOADS")):
                asked = client.post(off, headers=bearer(secret), content="{")
                assert asked.status_code == 403
                assert why in asked.text


def routes_of(routed: Any) -> Iterator[APIRoute]:
    for route in routed.routes:
        if isinstance(route, APIRoute):
            yield route
        elif inner := getattr(route, "original_router", None):
            yield from routes_of(inner)


def test_every_route_that_is_not_for_reading_asks_for_a_scope() -> None:
    app = create_app(Empty(), Settings(cypher=True))  # type: ignore[arg-type]
    others = [route for route in routes_of(app) if not (route.methods or set()) <= {"GET", "HEAD", "OPTIONS"}]
    assert [r.path for r in others if not any(isinstance(d, requires) for d in r.dependencies)] == []
    assert "/cypher" in {route.path for route in others}


def test_the_file_of_keys_holds_hashes_and_is_for_its_owner_alone(keys: Keys) -> None:
    os.umask(os.umask(0o022))
    _, secret = keys.add("me", ["read", "cypher"])
    text = keys.path.read_text()
    assert secret not in text
    assert secret.split("_", 2)[2] not in text
    assert stat.S_IMODE(keys.path.stat().st_mode) == 0o600
    assert [path.name for path in keys.path.parent.iterdir()] == ["keys.json"]
    found = keys.find(secret)
    assert found
    assert found.name == "me"
    assert sorted(found.scopes) == ["cypher", "read"]
    with pytest.raises(UsageError, match="named 'me' is there already"):
        keys.add("me", ["read"])
    with pytest.raises(NotFoundError, match="'nobody'"):
        keys.revoke("nobody")
    keys.path.chmod(0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        Keys(keys.path).all()


def test_no_secret_is_told_in_answers_or_logs(keys: Keys, caplog: pytest.LogCaptureFixture) -> None:
    _, secret = keys.add("me", ["read"])
    hidden = secret.split("_", 2)[2]
    caplog.set_level(logging.DEBUG)
    answers = []
    with client_of(keys, rate_limit=0) as client:
        for headers in (bearer(secret), {"X-API-Key": secret}, bearer(secret + "x"), {"Host": hidden}):
            for path in ("/circuits", "/circuits?limit=x", "/nothing", "/openapi.json", f"/circuits?token={secret}"):
                response = client.get(path, headers=headers)
                answers.append(response.text + json.dumps(dict(response.headers)))
        answers.append(client.post("/cypher", headers=bearer(secret), json={"text": 1, "secret": 2}).text)
    assert [answer for answer in answers if hidden in answer] == []
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("httpx")]
    assert [message for message in ours if hidden in message] == []


def test_requests_beyond_the_rate_are_told_when_to_come_back(keys: Keys) -> None:
    secrets = [keys.add(name, ["read"])[1] for name in ("a", "b")]
    with client_of(keys, rate_limit=0.5) as client:
        assert client.get("/circuits", headers=bearer(secrets[0])).status_code == 200
        response = client.get("/circuits", headers=bearer(secrets[0]))
        assert response.status_code == 429
        assert 1 <= int(response.headers["retry-after"]) <= 2
        assert client.get("/circuits", headers=bearer(secrets[1])).status_code == 200
        assert [client.get("/circuits").status_code for _ in range(2)] == [401, 429]
        assert client.get("/circuits", headers={"X-Forwarded-For": "10.0.0.1"}).status_code == 429


def test_a_bucket_fills_at_its_rate_and_forgets_who_has_not_asked_for_long() -> None:
    now = 0.0
    buckets = Buckets(10, lambda: now)
    assert [buckets.take("a") for _ in range(20)] == [0.0] * 20
    assert buckets.take("a") == pytest.approx(0.1)
    now = 0.1
    assert buckets.take("a") == 0.0
    for i in range(30_000):
        now += 0.01
        buckets.take(f"other {i}")
    assert len(buckets._buckets) <= 10_000


def test_a_body_beyond_the_limit_is_refused_whether_or_not_it_says_its_length() -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(100):
            yield b" " * 1000

    app = create_app(Empty(), Settings(cypher=True, body_limit=10_000))  # type: ignore[arg-type]
    with TestClient(app, raise_server_exceptions=False) as client:
        json_type = {"Content-Type": "application/json"}
        for content in (b" " * 10_001, pieces()):
            response = client.post("/cypher", content=content, headers=json_type)
            assert response.status_code == 413
            assert response.json()["detail"] == "a body has at most 10000 bytes here"
        assert client.post("/cypher", content=b" " * 10_000, headers=json_type).status_code == 400
        assert "Content-Type: application/json" in client.post("/cypher", data={"text": "RETURN 1"}).json()["detail"]
        for length in ("-1", "x", "99999999999999999999"):
            assert client.post("/cypher", content=b"{}", headers={"Content-Length": length}).status_code == 413


@pytest.fixture
def open_client() -> Iterator[TestClient]:
    settings = Settings(
        hosts="circuits.example.org", cors_origins="https://a.example.org", require_keys=False, cypher=True
    )
    app = create_app(Empty(), settings)  # type: ignore[arg-type]
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:8000", 200),
        ("LOCALHOST", 200),
        ("127.0.0.1:8000", 200),
        ("[::1]:8000", 200),
        ("10.1.2.3", 200),
        ("circuits.example.org", 200),
        ("circuits.example.org.:443", 200),
        ("evil.example.org", 421),
        ("circuits.example.org.evil.org", 421),
        ("127.0.0.1.evil.org", 421),
        ("localhost@evil.org", 421),
        ("evil.org#localhost", 421),
        ("[::1", 421),
        ("", 421),
    ],
)
def test_a_name_that_is_not_the_services_is_refused(open_client: TestClient, host: str, status: int) -> None:
    assert open_client.get("/circuits", headers={"Host": host}).status_code == status


def test_another_sites_page_may_ask_only_where_it_is_named(open_client: TestClient) -> None:
    def asked(origin: str) -> tuple[int, str | None]:
        response = open_client.get("/circuits", headers={"Origin": origin, "Host": "localhost"})
        return response.status_code, response.headers.get("access-control-allow-origin")

    assert asked("https://a.example.org") == (200, "https://a.example.org")
    assert asked("https://b.example.org") == (200, None)
    for origin, status in (
        ("https://a.example.org", 415),
        ("http://localhost", 415),
        ("https://evil.org", 403),
        ("null", 403),
    ):
        headers = {"Origin": origin, "Host": "localhost", "Content-Type": "text/plain"}
        assert open_client.post("/cypher", content="{", headers=headers).status_code == status
    with TestClient(create_app(Empty(), Settings())) as client:  # type: ignore[arg-type]
        response = client.get("/circuits", headers={"Origin": "https://a.example.org"})
        assert not [name for name in response.headers if name.startswith("access-control")]


@pytest.mark.parametrize("origins", ["*", "a.example.org", "https://a.org/path", "https://*.a.org"])
def test_origins_are_named_one_by_one(monkeypatch: pytest.MonkeyPatch, origins: str) -> None:
    monkeypatch.setenv("CIRCUITSTORE_CORS_ORIGINS", origins)
    with pytest.raises(UsageError, match=r"CIRCUITSTORE_CORS_ORIGINS: '.*' is no origin"):
        read_settings()


@pytest.mark.parametrize("path", ["/", "/circuits", "/nothing", "/docs", "/queries"])
def test_every_answer_tells_a_browser_what_it_may_do(open_client: TestClient, path: str) -> None:
    headers = open_client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert policy.startswith("default-src 'self'" if path == "/docs" else "default-src 'none'")
    assert open_client.get(path, headers={"Host": "evil.org"}).headers["x-content-type-options"] == "nosniff"


def test_what_the_documentation_page_loads_its_policy_allows(open_client: TestClient) -> None:
    response = open_client.get("/docs")
    assert re.search(r"<script>", response.text)
    assert "script-src 'self' 'unsafe-inline'" in response.headers["content-security-policy"]


def test_free_cypher_is_off_unless_it_is_turned_on() -> None:
    app = create_app(Away(), Settings())  # type: ignore[arg-type]
    with TestClient(app) as client:
        response = client.post("/cypher", json={"text": "RETURN 1"})
        assert (response.status_code, response.json()["detail"]) == (
            403,
            "free Cypher is off: CIRCUITSTORE_CYPHER=true turns it on",
        )
        assert "/cypher" not in client.get("/openapi.json").json()["paths"]


def test_a_route_that_asks_for_a_scope_without_access_being_checked_lets_nobody_in() -> None:
    app = FastAPI()

    @app.post("/x", dependencies=[requires(Scope.write)])
    def x() -> None: ...

    with TestClient(app, raise_server_exceptions=False) as client:
        assert client.post("/x").status_code == 500
