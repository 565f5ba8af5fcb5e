"""Pages of a resource's list by keyset, and one node by its uid.

The statements are made here: of what a request holds, only names of the schema stand in a text, and values are bound.
A page begins behind the last row of the page before, whatever came or went in between; nulls sort last. Knows nothing
of HTTP.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from queries.limits import Limits
from queries.parameters import Parameter, Value, arguments
from queries.resources import Resource, parameter_type
from store.database import Rows, Store
from store.errors import NotFoundError, QueryError


@dataclass(frozen=True)
class Page:
    """cursor: of the next page, or '' where this is the last."""

    rows: Rows
    cursor: str


@dataclass(frozen=True)
class _Key:
    """A column that rows are sorted by."""

    column: str
    descending: bool

    def order(self) -> str:
        return f"n.`{self.column}` IS NULL, n.`{self.column}`{' DESC' if self.descending else ''}"

    def equal(self, value: Value | None, name: str) -> str:
        return f"n.`{self.column}` IS NULL" if value is None else f"n.`{self.column}` = ${name}"

    def behind(self, value: Value | None, name: str) -> str:
        if value is None:
            return "false"
        sign = "<" if self.descending else ">"
        return f"(n.`{self.column}` {sign} ${name} OR n.`{self.column}` IS NULL)"


def page(store: Store, resource: Resource, given: Mapping[str, object], limits: Limits) -> Page:
    """Raises QueryError for a filter, sort or cursor that can't be; LimitError; StoreError."""
    values = arguments(resource.name, resource.params, given)
    keys = _keys(resource, str(values["sort"]))
    n_rows = min(int(values["limit"]), limits.rows)
    matches, conditions, bound = _filtered(resource, values)
    if cursor := str(values["cursor"]):
        last = _read_cursor(resource, keys, cursor)
        conditions.append(_behind(keys, last, bound))
    order = f"ORDER BY {', '.join(key.order() for key in keys)}"
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    text = (
        f"MATCH (n:{resource.label}){''.join(matches)}{where} "
        f"WITH {'DISTINCT ' if matches else ''}n {order} LIMIT {n_rows + 1} {_shown(resource)} {order}"
    )
    found = _first_of_each(store.run(text, bound, timeout=limits.left()))
    more = len(found.rows) > n_rows
    rows = Rows(found.columns, found.rows[:n_rows], truncated=False)
    next_cursor = _write_cursor(resource, keys, rows.rows[-1]) if more else ""
    return Page(rows, next_cursor)


def one(store: Store, resource: Resource, given: Mapping[str, object], limits: Limits) -> Rows:
    """A single row. given: its `uid`. Raises NotFoundError, QueryError for what is no uid, LimitError, StoreError."""
    uid = arguments(resource.name, {"uid": resource.uid}, given)["uid"]
    text = f"MATCH (n:{resource.label} {{uid: $uid}}) {_shown(resource)}"
    rows = _first_of_each(store.run(text, {"uid": uid}, timeout=limits.left()))
    if not rows.rows:
        raise NotFoundError(f"no {resource.label} {uid!r} is stored")
    return rows


def _shown(resource: Resource) -> str:
    """The end of a statement: a row of each node, or more where several are related to it that should be one."""
    related = [f"OPTIONAL MATCH {relation.pattern.format(r=f's_{relation.name}')}" for relation in resource.singles]
    columns = [f"n.`{column.name}` AS `{column.name}`" for column in resource.node.columns]
    columns += [f"s_{relation.name}.uid AS `{relation.name}`" for relation in resource.singles]
    return " ".join([*related, f"RETURN {', '.join(columns)}"])


def _first_of_each(rows: Rows) -> Rows:
    """One row of each node: that of the related ones whose uids come first."""
    of_node: dict[str, list[list[Any]]] = {}
    for row in rows.rows:
        of_node.setdefault(row[0], []).append(row)
    firsts = [some[0] if len(some) == 1 else min(some, key=repr) for some in of_node.values()]
    return replace(rows, rows=firsts)


def _filtered(resource: Resource, values: Mapping[str, Value]) -> tuple[list[str], list[str], dict[str, Value]]:
    """More patterns to match, conditions, and the values that these bind."""
    matches, conditions = [], []
    bound: dict[str, Value] = {}
    for relation in resource.relations:
        if values[relation.name] != "":
            name = f"r_{relation.name}"
            matches.append(f", {relation.pattern.format(r=name)}")
            named = f" OR {name}.name = ${name}" if relation.named else ""
            conditions.append(f"({name}.uid = ${name}{named})")
            bound[name] = values[relation.name]
    for number, (parameter, kept) in enumerate(resource.filters.items()):
        if values[parameter] != "":
            name = f"f_{number}"
            conditions.append(kept.condition.format(column=f"n.`{kept.column.name}`", value=f"${name}"))
            bound[name] = values[parameter]
    return matches, conditions, bound


def _keys(resource: Resource, sort: str) -> list[_Key]:
    keys: list[_Key] = []
    for word in (sort or "uid").split(","):
        name = word.removeprefix("-")
        if name not in resource.sortable:
            raise QueryError(
                f"{resource.name}: sort: {name!r} is nothing to sort by; there are {', '.join(resource.sortable)}"
            )
        if any(key.column == name for key in keys):
            raise QueryError(f"{resource.name}: sort: {name!r} is named twice")
        keys.append(_Key(name, word.startswith("-")))
    return keys if any(key.column == "uid" for key in keys) else [*keys, _Key("uid", False)]


def _behind(keys: list[_Key], last: list[Value | None], bound: dict[str, Value]) -> str:
    """The condition that a row comes behind the last one."""
    names = [f"k_{number}" for number in range(len(keys))]
    bound |= {name: value for name, value in zip(names, last, strict=True) if value is not None}
    alternatives = []
    for number, key in enumerate(keys):
        before = [keys[i].equal(last[i], names[i]) for i in range(number)]
        alternatives.append(" AND ".join([*before, key.behind(last[number], names[number])]))
    return f"({' OR '.join(f'({one})' for one in alternatives)})"


def _write_cursor(resource: Resource, keys: list[_Key], row: list[Any]) -> str:
    names = [column.name for column in resource.node.columns]
    held = [_sort(keys), *(row[names.index(key.column)] for key in keys)]
    return base64.urlsafe_b64encode(json.dumps(held).encode()).decode().rstrip("=")


def _read_cursor(resource: Resource, keys: list[_Key], cursor: str) -> list[Value | None]:
    try:
        held = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        sort, *last = held
        if sort == _sort(keys):
            return [_checked(resource, key, value) for key, value in zip(keys, last, strict=True)]
    except (ValueError, TypeError, RecursionError, QueryError):
        raise QueryError(
            f"{resource.name}: cursor: {cursor!r} is none that a page of this list linked to; leave it out to begin "
            "anew"
        ) from None
    raise QueryError(f"{resource.name}: cursor: it belongs to sort={sort}; leave it out to sort by {_sort(keys)}")


def _checked(resource: Resource, key: _Key, value: object) -> Value | None:
    column = resource.sortable[key.column]
    if value is None and column.optional:
        return None
    return Parameter(name=key.column, type=parameter_type(column), help="", default="").check(value)


def _sort(keys: list[_Key]) -> str:
    return ",".join(f"{'-' if key.descending else ''}{key.column}" for key in keys)
