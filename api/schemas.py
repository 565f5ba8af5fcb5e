"""JSON schemas of answers, for OpenAPI: columns with their meaning, and their type where the graph schema has it."""

from collections.abc import Mapping
from typing import Any

from api.media import MEDIA_TYPES, TRUNCATED, Form
from queries.catalogue import Catalogue
from queries.parameters import Parameter, ParameterType
from queries.resources import Resource
from store.schema import UID, VOCABULARY, Column, Type

_TYPES: dict[Type, dict[str, Any]] = {
    Type.STRING: {"type": "string"},
    Type.STRINGS: {"type": "array", "items": {"type": "string"}},
    Type.INT: {"type": "integer"},
    Type.FLOAT: {"type": "number"},
    Type.BOOL: {"type": "boolean"},
}
_JSON_TYPES = {
    ParameterType.UID: "string",
    ParameterType.STRING: "string",
    ParameterType.INT: "integer",
    ParameterType.FLOAT: "number",
    ParameterType.BOOL: "boolean",
    ParameterType.HOPS: "integer",
}
_LINKS = {
    "type": "object",
    "description": "Paths of itself and of what it is related to.",
    "required": ["self"],
    "additionalProperties": {"type": "string"},
}
_NEXT = {"type": ["string", "null"], "description": "Link to the next page; null on the last one."}


def of_parameter(parameter: Parameter) -> dict[str, Any]:
    """Of what a query's parameter takes."""
    kind: dict[str, Any] = {"type": _JSON_TYPES[parameter.type]}
    if parameter.type is ParameterType.UID and parameter.required:
        kind["pattern"] = f"^{UID.pattern}$"
    if parameter.choices:
        kind["enum"] = list(parameter.choices)
    if parameter.default not in (None, ""):
        kind["default"] = parameter.default
    if parameter.min is not None:
        kind["minimum"] = parameter.min
    if parameter.max is not None:
        kind["maximum"] = parameter.max
    if parameter.default == "" and kind["type"] != "string":
        return {"anyOf": [kind, {"const": "", "description": "Left open."}]}
    return kind


def of_query(returns: Mapping[str, str]) -> dict[str, Any]:
    """Of an answer in the one shape. returns: the columns with their meaning."""
    return _shape({name: _named(name, meaning) for name, meaning in returns.items()})


def of_resource(resource: Resource) -> dict[str, Any]:
    columns = {column.name: _exact(column) for column in resource.node.columns}
    related = {name: _named(name, meaning) for name, meaning in resource.returns.items() if name not in columns}
    return _shape({**columns, **related, "links": _LINKS})


def of_page(resource: Resource) -> dict[str, Any]:
    shape = of_resource(resource)
    return {**shape, "required": [*shape["required"], "next"], "properties": {**shape["properties"], "next": _NEXT}}


def of_graph(catalogue: Catalogue) -> dict[str, Any]:
    properties = {
        "shown": {"type": "string", "description": "How much is shown, and of how much, in words."},
        "n_nodes": {"type": "integer", "description": "Number of nodes of the whole circuit."},
        "n_edges": {"type": "integer", "description": "Number of edges of the whole circuit."},
        "nodes": of_query(catalogue["top_nodes"].returns),
        "edges": of_query(catalogue["graph_edges"].returns),
    }
    return {"type": "object", "required": list(properties), "properties": properties}


def in_every_form(summary: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The responses 200 and 304 of what can be had in every form. schema: of the JSON."""
    return conditional(summary, every_form(schema))


def every_form(schema: dict[str, Any]) -> dict[str, Any]:
    """The content of an answer that can be had in every form. schema: of the JSON."""
    content = {form.media_type: {"schema": {"type": "string"}} for form in MEDIA_TYPES}
    return {**content, Form.JSON.media_type: {"schema": schema}}


def conditional(summary: str, content: dict[str, Any]) -> dict[str, Any]:
    text = {"schema": {"type": "string"}}
    headers = {
        "ETag": {**text, "description": "Changes with what is stored; send it back as If-None-Match."},
        "Link": {**text, "description": "Of a list: the next page."},
        TRUNCATED: {**text, "description": "`true` where the row limit left rows off, in forms other than JSON."},
    }
    unchanged = {"description": "What If-None-Match names is what the answer would be."}
    return {"200": {"description": summary, "content": content, "headers": headers}, "304": unchanged}


def plain(summary: str, *names: str) -> dict[str, Any]:
    """The `openapi_extra` of an answer that is an object with those names."""
    content = {Form.JSON.media_type: {"schema": of_names(*names)}}
    return {"responses": {"200": {"description": summary, "content": content}}}


def of_names(*names: str) -> dict[str, Any]:
    """Of an object with those names, whatever they hold."""
    return {"type": "object", "required": list(names), "properties": {name: {} for name in names}}


def _shape(columns: dict[str, Any]) -> dict[str, Any]:
    row = {"type": "object", "properties": columns, "required": list(columns), "additionalProperties": False}
    return {
        "type": "object",
        "required": ["columns", "rows", "truncated"],
        "properties": {
            "columns": {"type": "array", "items": {"type": "string", "enum": list(columns)}},
            "rows": {"type": "array", "items": row},
            "truncated": {"type": "boolean", "description": "Whether the row limit left rows off."},
        },
    }


def _exact(column: Column) -> dict[str, Any]:
    unit = f" In {column.unit}." if column.unit else ""
    kind = _nullable(column.type) if column.optional else _TYPES[column.type]
    return {**kind, "description": column.meaning + unit}


def _named(name: str, meaning: str) -> dict[str, Any]:
    """Of a query's column, which along a path is a list of what the name means."""
    if name not in VOCABULARY:
        return {"description": meaning}
    kind = _nullable(VOCABULARY[name])
    if "array" in kind["type"]:
        return {**kind, "description": meaning}
    return {**kind, "type": sorted({*kind["type"], "array"}), "items": kind, "description": meaning}


def _nullable(kind: Type) -> dict[str, Any]:
    return {**_TYPES[kind], "type": [_TYPES[kind]["type"], "null"]}
