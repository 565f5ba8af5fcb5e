"""The explorer's files: light, licensed, of a size to be read, and without a way for text to become code."""

import gzip
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from api.pages import FOLDER

FILES = sorted(path for path in FOLDER.rglob("*") if path.is_file())
VENDORED = FOLDER / "vendor"
OWN = [path for path in FILES if VENDORED not in path.parents]
WEIGHT = 600_000
LINES = 400

_MARKUP = re.compile(
    r"\b(?:innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|DOMParser|srcdoc|eval|document\.write)\b"
    r"|createContextualFragment|new Function\b|javascript:"
)
_ADDRESS = re.compile(r"(?:https?:|wss?:|[\"'`(]\s*)//[\w.-]+")
_HARMLESS = re.compile(r"https?://(?:www\.w3\.org|explorer|localhost|127\.0\.0\.1)$")
"""Names of XML's vocabularies, the base of a relative address, and this machine."""


def _name(path: Path) -> str:
    return str(path.relative_to(FOLDER))


class _Page(HTMLParser):
    """What of a page runs or styles by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.inline: list[str] = []
        self._tag = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tag = tag
        self.inline += [name for name, _ in attrs if name == "style" or name.startswith("on")]
        self.inline += ["style"] * (tag == "style")

    def handle_data(self, data: str) -> None:
        if self._tag == "script" and data.strip():
            self.inline.append(data)


def test_the_page_has_no_script_and_no_style_of_its_own() -> None:
    page = _Page()
    page.feed((FOLDER / "index.html").read_text())
    assert page.inline == []


@pytest.mark.parametrize("path", OWN, ids=_name)
def test_no_text_is_made_markup_or_code(path: Path) -> None:
    assert _MARKUP.findall(path.read_text()) == []


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix != ".txt"], ids=_name)
def test_no_file_names_another_host(path: Path) -> None:
    assert [found for found in _ADDRESS.findall(path.read_text()) if not _HARMLESS.match(found)] == []


def test_scripts_are_short_enough_to_be_read() -> None:
    lines = {_name(path): len(path.read_text().splitlines()) for path in OWN if path.suffix == ".js"}
    assert {name: n for name, n in lines.items() if n >= LINES} == {}


def test_all_of_it_weighs_no_more_than_a_picture() -> None:
    """Compressed: a view fetches a part of it."""
    assert sum(len(gzip.compress(path.read_bytes())) for path in FILES) <= WEIGHT


def test_the_licence_of_each_library_is_beside_it_in_the_version_that_is_locked() -> None:
    lock = json.loads((Path(__file__).parent / "package-lock.json").read_text())["packages"]
    libraries = {path.stem.split("-")[0] for path in VENDORED.glob("*.js")}
    licences = (VENDORED / "LICENSES.txt").read_text()
    assert set(re.findall(r"^== (.*)$", licences, re.MULTILINE)) == {
        f"{name} {lock[f'node_modules/{name}']['version']}" for name in libraries
    }
    assert licences.count("Copyright") + licences.count("Apache License") >= len(libraries)
