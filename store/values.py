"""Answers as plain Python values, the same whichever database they came from."""

from typing import Any

from store.schema import NODES, RELATIONSHIPS

_PROPERTIES = {
    **{node.label: [column.name for column in node.columns] for node in NODES},
    **{relationship.type: [column.name for column in relationship.columns] for relationship in RELATIONSHIPS},
}


SIMPLE = frozenset({str, int, float, bool, type(None)})
"""Types of values that are plain already: nearly all, so they are looked for first."""


def plain_ladybug(value: Any) -> Any:
    """Nodes and relationships become dicts of their properties, paths dicts of nodes and relationships."""
    if type(value) in SIMPLE:
        return value
    if isinstance(value, dict):
        if "_NODES" in value and "_RELS" in value:
            return path(map(plain_ladybug, value["_NODES"]), map(plain_ladybug, value["_RELS"]))
        if "_LABEL" in value and "_ID" in value:
            return properties(value["_LABEL"], value)
        return {key: plain_ladybug(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [inner if type(inner) in SIMPLE else plain_ladybug(inner) for inner in value]
    return str(value)


def properties(label: str, held: Any) -> dict[str, Any]:
    """All properties that the schema gives a label or type; those not held are None."""
    names = _PROPERTIES.get(label)
    if names is None:  # bookkeeping
        return {key: value for key, value in held.items() if not key.startswith("_")}
    return {name: held.get(name) for name in names}


def path(nodes: Any, relationships: Any) -> dict[str, Any]:
    """A path, from its plain nodes and relationships."""
    return {"nodes": list(nodes), "relationships": list(relationships)}
