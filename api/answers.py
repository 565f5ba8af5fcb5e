"""The one shape of an answer: `{"columns": [...], "rows": [{...}], "truncated": false}`.

Rows are objects by column. `truncated` says that the row limit left some off.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from pydantic_core import to_json

from api.settings import Settings
from queries.catalogue import Catalogue
from queries.query import Query
from store.database import Rows, Store
from store.errors import LimitError, QueryError


class JSON(Response):
    """Serialised in one pass, without FastAPI's encoder: most of a small request's time would go there."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return to_json(content, inf_nan_mode="null")


def answer(columns: Sequence[str], rows: Iterable[Sequence[Any]], truncated: bool = False) -> dict[str, Any]:
    """The shape, from rows as lists."""
    return {"columns": columns, "rows": [dict(zip(columns, row, strict=True)) for row in rows], "truncated": truncated}


def of(rows: Rows) -> dict[str, Any]:
    return answer(rows.columns, rows.rows, rows.truncated)


def schema(query: Query) -> dict[str, Any]:
    """The JSON schema of a query's answer, with the meaning of each column."""
    row = {name: {"description": meaning} for name, meaning in query.returns.items()}
    return {
        "type": "object",
        "required": ["columns", "rows", "truncated"],
        "properties": {
            "columns": {"type": "array", "items": {"type": "string", "enum": list(query.returns)}},
            "rows": {"type": "array", "items": {"type": "object", "properties": row, "required": list(row)}},
            "truncated": {"type": "boolean", "description": "Whether the row limit left rows off."},
        },
    }


def parameters(request: Request) -> dict[str, str]:
    """The path's and the query string's parameters, each name once."""
    given: dict[str, str] = dict(request.path_params)
    for name, value in request.query_params.multi_items():
        if name in given:
            raise QueryError(f"{name} is given twice")
        given[name] = value
    return given


def run(
    store: Store,
    catalogue: Catalogue,
    settings: Settings,
    name: str,
    given: Mapping[str, object],
    deadline: float | None = None,
) -> Rows:
    """A query of the catalogue within the service's limits.

    deadline: by `time.monotonic()`, where a request asks more than one query. Raises LimitError when it has passed.
    """
    left = settings.time_limit if deadline is None else deadline - time.monotonic()
    if left <= 0:
        raise LimitError(f"the request took longer than {settings.time_limit} s: ask for less")
    return catalogue.run(
        store,
        name,
        given,
        timeout=left,
        row_limit=settings.row_limit,
        hop_limit=settings.hop_limit,
    )
