"""Rules about the files themselves."""

import re
from pathlib import Path

from tests.project.repository import ROOT, tracked

_ADDRESS = re.compile(
    r"https?://[^\s\"'<>]*(?:pypi|pythonhosted|npmjs|registry|maven(?!\.apache\.org/POM)|artifactory|nexus|mirror)"
    r"|--(?:extra-)?index-url|--find-links",
    re.IGNORECASE,
)
_SECRET = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\b(?:ghp|gho|github_pat|hf|sk)_[A-Za-z0-9]{20,}|\bAKIA[0-9A-Z]{16}\b"
)


def test_no_file_holds_the_address_of_a_package_registry_or_a_secret() -> None:
    found = []
    for name in tracked():
        content = (ROOT / name).read_bytes()
        if Path(ROOT / name) == Path(__file__) or b"\0" in content[:8192] or len(content) > 2_000_000:
            continue
        text = content.decode(errors="replace")
        found += [f"{name}: {match[0]}" for rule in (_ADDRESS, _SECRET) for match in rule.finditer(text)]
    assert found == []


def test_every_package_says_that_it_is_typed() -> None:
    assert {f"{name}/py.typed" for name in ("api", "ingest", "queries", "store")} <= set(tracked())
