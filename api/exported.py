"""A circuit's view as one HTML file that needs no service: for a paper's supplement, or a talk.

It is the explorer itself. Its modules stand in the file as data URLs, named by an import map; its style sheets and the
answers that the view asks for stand there as text.
"""

import base64
import posixpath
import re
from html import escape
from urllib.parse import urlencode

from pydantic_core import to_json

from api.answers import of, of_graph
from api.pages import FOLDER
from queries import pages
from queries.catalogue import Catalogue
from queries.limits import Limits
from queries.resources import RESOURCES
from queries.subgraph import subgraph
from store.database import Store

_START = ("main.js", "views/circuit.js")
_STYLES = ("base", "parts", "feature-card", "circuit")
_OPENS_WITH = {"top_nodes": 60, "limit": 300}
"""What the view asks for first; it gets more here, as it can't ask again. See `explorer/views/circuit.js`."""
_HOLDS = {"top_nodes": 2_000, "limit": 5_000}
_STRONGEST = {"max_edges": 10_000, "limit": 60}
"""As in `explorer/circuit/paths-panel.js`."""
_IMPORT = re.compile(r"""(\bfrom\s*|\bimport\s*\(?\s*)"(\.{1,2}/[^"]+)\"""")
_LIMITS = (600.0, 10_000, 8)

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline' data:; \
style-src 'unsafe-inline'; img-src data: blob:">
<title>{title}</title>
<style>
{styles}
</style>
<script type="application/json" id="answers" data-path="{path}">{answers}</script>
<script type="importmap">{modules}</script>
<script type="module">import "explorer/main.js";</script>
</head>
<body><div id="app"></div></body>
</html>
"""


def page(store: Store, catalogue: Catalogue, circuit: str) -> str:
    """Raises NotFoundError for a circuit that is not stored, StoreError."""
    path = f"/circuits/{circuit}"
    answers = _answers(store, catalogue, circuit, path)
    return _PAGE.format(
        title=escape(f"{circuit} · Circuitstore"),
        path=escape(path),
        styles="\n".join((FOLDER / "styles" / f"{name}.css").read_text(encoding="utf-8") for name in _STYLES),
        answers=_in_script(answers),
        modules=_in_script({"imports": _modules()}),
    )


def _answers(store: Store, catalogue: Catalogue, circuit: str, path: str) -> dict[str, object]:
    """By the path that the view asks at."""
    limits = Limits(*_LIMITS)
    graph = of_graph(subgraph(store, {"circuit": circuit, **_HOLDS}, limits))
    row = of(pages.one(store, RESOURCES["circuits"], {"uid": circuit}, limits))
    paths = catalogue.run(store, "strongest_paths", {"circuit": circuit, **_STRONGEST})
    answers: dict[str, object] = {
        path: row,
        f"{path}/graph?{urlencode(_OPENS_WITH)}": graph,
        f"/queries/strongest_paths?{urlencode({'circuit': circuit, **_STRONGEST}, safe=':')}": of(paths),
    }
    if prompt := row["rows"][0]["prompt"]:
        answers[f"/prompts/{prompt}"] = of(pages.one(store, RESOURCES["prompts"], {"uid": prompt}, limits))
    return answers


def _modules() -> dict[str, str]:
    """All that the view is made of, as data URLs."""
    found: dict[str, str] = {}
    waiting = list(_START)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        text = (FOLDER / name).read_text(encoding="utf-8")
        waiting += [_resolved(name, match[2]) for match in _IMPORT.finditer(text) if "(" not in match[1]]
        found[name] = "data:text/javascript;base64," + base64.b64encode(_named(name, text).encode()).decode()
    return {f"explorer/{name}": url for name, url in sorted(found.items())}


def _named(importer: str, text: str) -> str:
    """A module's text that imports by names of the map: a data URL has no folder to go from."""
    return _IMPORT.sub(lambda match: f'{match[1]}"explorer/{_resolved(importer, match[2])}"', text)


def _resolved(importer: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(importer), path))


def _in_script(value: object) -> str:
    """JSON that can't end the element it stands in."""
    return to_json(value, inf_nan_mode="null").decode().replace("<", "\\u003c")
