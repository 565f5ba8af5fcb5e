"""How tests look at what was refused."""

from typing import Any


def problem(response: Any, status: int) -> str:
    """The detail of a problem document, whose shape is checked."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert list(body) == ["type", "title", "status", "detail"]
    assert body["status"] == status
    return str(body["detail"])
