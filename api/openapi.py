"""The OpenAPI description: typed parameters, columns, and in each operation an example that this store answers.

What the catalogue and the resources know of themselves becomes a route's `openapi_extra`; examples are looked up in the
store when the document is asked for.
"""

from collections.abc import Iterable
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from starlette.routing import Route

from api import schemas
from api.access import Caller, are_required
from api.keys import Scope
from api.media import PARAMETER, Form
from api.settings import Settings
from queries import pages, subgraph
from queries.catalogue import Catalogue
from queries.limits import Limits
from queries.parameters import FirstRow, Parameter, Value
from queries.query import Query
from queries.resources import RESOURCES, Resource
from store.database import Store
from store.errors import CircuitstoreError

_QUERY = "x-query"
"""Where a route keeps the query whose example arguments are looked up."""
_RESOURCE = "x-resource"
"""The same of the resource, of which a uid is looked up."""
_SAMPLES = "x-codeSamples"
_EXAMPLE_SECONDS = 2.0
_KEY = "X-API-Key"
_SCHEME = {"type": "apiKey", "in": "header", "name": _KEY}

_DESCRIPTION = """\
- **Forms**: JSON, NDJSON, CSV and Arrow, by `Accept` or `format=json|ndjson|csv|arrow`. JSON is
  `{"columns": […], "rows": [{…}], "truncated": false}`.
- **Filters** of a list are its properties (`n_nodes.min=50`, `label.contains=plural`, `cpr.null=false`) and what its
  rows are related to (`task=NAME`).
- **Pages**: `limit` rows, in the order of `sort=-faithfulness,uid`; `next` and the header `Link` lead to the next one.
- **Errors** are problem documents (RFC 9457) that name the parameter and what it takes.
"""
_ON_KEYS = """\
- **Keys**: a request sends one as `X-API-Key: KEY` or `Authorization: Bearer KEY`; *Authorize* has this page do it. To
  those with a key for reading `/openapi.json` gives examples from the store.
"""


def query(query: Query) -> dict[str, Any]:
    responses = schemas.in_every_form(query.summary, schemas.of_query(query.returns))
    return {"parameters": [*_parameters(query.params.values()), _form()], "responses": responses, _QUERY: query.name}


def resource_list(resource: Resource) -> dict[str, Any]:
    responses = schemas.in_every_form(resource.summary, schemas.of_page(resource))
    parameters = [*_parameters(resource.params.values()), _form()]
    parameters[[p["name"] for p in parameters].index("limit")]["example"] = 3
    return {"parameters": parameters, "responses": responses}


def resource_one(resource: Resource) -> dict[str, Any]:
    responses = schemas.in_every_form("The one of that uid.", schemas.of_resource(resource))
    return {"parameters": [_parameter(resource.uid, "path"), _form()], "responses": responses, _RESOURCE: resource.name}


def graph(catalogue: Catalogue, hop_limit: int) -> dict[str, Any]:
    content = {Form.JSON.media_type: {"schema": schemas.of_graph(catalogue)}}
    responses = schemas.conditional("Nodes, edges, and how much is hidden.", content)
    parameters = _parameters((p.within(hop_limit) for p in subgraph.PARAMS.values()), in_path="circuit")
    return {"parameters": parameters, "responses": responses, _QUERY: "circuit"}


def free_cypher() -> dict[str, Any]:
    content = schemas.every_form(schemas.of_names("columns", "rows", "truncated"))
    return {"parameters": [_form()], "responses": {"200": {"description": "Its rows.", "content": content}}}


def description(settings: Settings) -> str:
    """What one must know of all operations, in Markdown."""
    return _DESCRIPTION + (_ON_KEYS if are_required(settings) else "")


class OpenAPI:
    """The document of an application, made anew when what is stored changes: its examples come from there.

    So those without a key for reading get it without examples.
    """

    def __init__(self, app: FastAPI, catalogue: Catalogue, store: Store, settings: Settings) -> None:
        self._app = app
        self._catalogue = catalogue
        self._store = store
        self._base = f"http://{settings.host}:{settings.port}"
        self._keys = are_required(settings)
        self._made: tuple[str, dict[str, Any]] | None = None

    def __call__(self) -> dict[str, Any]:
        try:
            version = self._store.version()
        except CircuitstoreError:
            return self._bare
        if self._made is None or self._made[0] != version:
            self._made = version, self._document(self._store)
        return self._made[1]

    def route(self) -> Route:
        def answer(request: Request) -> JSONResponse:
            caller: Caller = request.state.caller
            return JSONResponse(self() if Scope.read in caller.scopes else self._bare)

        return Route("/openapi.json", answer)

    @cached_property
    def _bare(self) -> dict[str, Any]:
        return self._document(None)

    def _document(self, store: Store | None) -> dict[str, Any]:
        """store: where examples come from."""
        app = self._app
        document = get_openapi(
            title=app.title, version=app.version, summary=app.summary, description=app.description, routes=app.routes
        )
        if self._keys:
            document.setdefault("components", {})["securitySchemes"] = {_KEY: _SCHEME}
            document["security"] = [{_KEY: []}]
        found: dict[FirstRow, Value] = {}
        for path, methods in document["paths"].items():
            if "get" in methods:
                operation = methods["get"]
                examples = _examples(self._catalogue, store, operation, found)
                for parameter in operation.get("parameters", []):
                    if parameter["name"] in examples:
                        parameter["example"] = examples[parameter["name"]]
                operation[_SAMPLES] = [{"lang": "Shell", "source": f"curl '{self._base}{_filled(path, operation)}'"}]
        return document


def _examples(
    catalogue: Catalogue, store: Store | None, operation: dict[str, Any], found: dict[FirstRow, Value]
) -> dict[str, Any]:
    """Empty where the store has none. found: what other operations looked up."""
    name, resource = operation.pop(_QUERY, None), operation.pop(_RESOURCE, None)
    if store is None:
        return {}
    try:
        if name:
            return dict(catalogue.example(store, name, found))
        if resource:
            limits = Limits(_EXAMPLE_SECONDS, rows=1, hops=1)
            return {"uid": pages.page(store, RESOURCES[resource], {"limit": 1}, limits).rows.rows[0][0]}
    except (CircuitstoreError, IndexError):
        pass
    return {}


def _filled(path: str, operation: dict[str, Any]) -> str:
    """The path and query string of the operation's example."""
    given = {p["name"]: p["example"] for p in operation.get("parameters", []) if "example" in p}
    asked = {name: str(value) for name, value in given.items() if f"{{{name}}}" not in path}
    filled = path.format_map(
        {name: quote(str(value), safe=":") for name, value in given.items()} | _missing(path, given)
    )
    return f"{filled}?{urlencode(asked, safe=':')}" if asked else filled


def _missing(path: str, given: dict[str, Any]) -> dict[str, str]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return {name: name.upper() for name in names if name not in given}


def _form() -> dict[str, Any]:
    return {
        "name": PARAMETER,
        "in": "query",
        "required": False,
        "description": "In what form; else as the Accept header says, else JSON.",
        "schema": {"type": "string", "enum": list(Form)},
    }


def _parameters(parameters: Iterable[Parameter], in_path: str = "") -> list[dict[str, Any]]:
    return [_parameter(p, "path" if p.name == in_path else "query") for p in parameters]


def _parameter(parameter: Parameter, place: str) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": place,
        "required": parameter.required,
        "description": parameter.help,
        "schema": schemas.of_parameter(parameter),
    }
