"""The one shape of an answer: `{"columns": [...], "rows": [{...}], "truncated": false}`.

Rows are objects by column. `truncated` says that the row limit left some off. A page of a list also has `next`, the
link to the next page or null. Other forms than JSON (`api/media.py`) hold the same rows.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from pydantic_core import to_json

from api import media
from api.caching import conditional
from api.dependencies import Asked
from api.media import Form
from queries.limits import Limits
from queries.output import as_objects
from queries.subgraph import Subgraph
from store.database import Rows
from store.errors import QueryError


class JSON(Response):
    """Serialised in one pass, without FastAPI's encoder: most of a small request's time would go there."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return to_json(content, inf_nan_mode="null")


@dataclass(frozen=True)
class Answer:
    """links: of a row by its columns, for the forms that hold objects. next: link to the next page, of a list."""

    rows: Rows
    links: Callable[[dict[str, Any]], dict[str, str]] | None = None
    next: str | None = None
    is_page: bool = False


def answer(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> dict[str, Any]:
    """The shape, from rows as lists."""
    return of(Rows(list(columns), [list(row) for row in rows], truncated=False))


def of(rows: Rows) -> dict[str, Any]:
    return {"columns": rows.columns, "rows": as_objects(rows), "truncated": rows.truncated}


def of_graph(found: Subgraph) -> dict[str, Any]:
    """The shape of a sub-graph, and how much of the circuit it is."""
    return {
        "shown": found.summary,
        "n_nodes": found.n_nodes,
        "n_edges": found.n_edges,
        "nodes": of(found.nodes),
        "edges": of(found.edges),
    }


def respond(asked: Asked, ask: Callable[[Limits], Answer]) -> Response:
    """Asks, unless the client has the answer, and puts it into the form that the request chose."""
    form = media.chosen(asked.request)

    def make(headers: dict[str, str]) -> Response:
        found = ask(asked.limits())
        if found.next:
            headers["Link"] = f'<{found.next}>; rel="next"'
        rows = found.rows
        if found.links and form in (Form.JSON, Form.NDJSON):
            linked = [[*row, found.links(dict(zip(rows.columns, row, strict=True)))] for row in rows.rows]
            rows = Rows([*rows.columns, "links"], linked, rows.truncated)
        if form is not Form.JSON:
            return media.render(rows, form, headers)
        return JSON({**of(rows), "next": found.next} if found.is_page else of(rows), headers=headers)

    return conditional(asked.request, asked.store, asked.settings, form, make)


def parameters(request: Request) -> dict[str, str]:
    """The path's and the query string's parameters, each name once, but for the form."""
    given: dict[str, str] = dict(request.path_params)
    for name, value in request.query_params.multi_items():
        if name in given:
            raise QueryError(f"{name} is given twice")
        if name != media.PARAMETER:
            given[name] = value
    return given
