"""The OpenAPI description, made from the catalogue: typed parameters, columns, and examples that this store answers."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.answers import schema
from queries.catalogue import Catalogue
from queries.parameters import Parameter, ParameterType, Value
from queries.query import Query
from store.database import Store
from store.errors import CircuitstoreError
from store.schema import UID

_QUERY = "x-query"
"""Where a route keeps its query's name until the examples are looked up."""

_JSON_TYPES = {
    ParameterType.UID: "string",
    ParameterType.STRING: "string",
    ParameterType.INT: "integer",
    ParameterType.FLOAT: "number",
    ParameterType.BOOL: "boolean",
    ParameterType.HOPS: "integer",
}


def operation(query: Query, in_path: str = "") -> dict[str, Any]:
    """A route's `openapi_extra`: the query's parameters and columns. in_path: the one that stands in the path."""
    content = {"application/json": {"schema": schema(query)}}
    return {
        "parameters": [_parameter(p, in_path) for p in query.params.values()],
        "responses": {"200": {"description": query.summary, "content": content}},
        _QUERY: query.name,
    }


def _parameter(parameter: Parameter, in_path: str) -> dict[str, Any]:
    kind: dict[str, Any] = {"type": _JSON_TYPES[parameter.type]}
    if parameter.type is ParameterType.UID and parameter.required:
        kind["pattern"] = f"^{UID.pattern}$"
    if parameter.choices:
        kind["enum"] = list(parameter.choices)
    if parameter.default is not None:
        kind["default"] = parameter.default
    if parameter.min is not None:
        kind["minimum"] = parameter.min
    if parameter.max is not None:
        kind["maximum"] = parameter.max
    return {
        "name": parameter.name,
        "in": "path" if parameter.name == in_path else "query",
        "required": parameter.required,
        "description": parameter.help,
        "schema": kind,
    }


def describe(app: FastAPI, catalogue: Catalogue, store: Store) -> dict[str, Any]:
    """The document, its examples taken from the store that is served."""
    document = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
    for methods in document["paths"].values():
        for route in methods.values():
            if _QUERY in route:
                examples = _examples(catalogue, store, route.pop(_QUERY))
                for parameter in route["parameters"]:
                    if parameter["name"] in examples:
                        parameter["example"] = examples[parameter["name"]]
    return document


def _examples(catalogue: Catalogue, store: Store, name: str) -> dict[str, Value]:
    try:
        return catalogue.example(store, name)
    except CircuitstoreError:
        return {}  # an empty store has none
