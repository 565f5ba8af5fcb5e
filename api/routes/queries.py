"""Every query of the catalogue at `/queries/{name}`, its parameters in the query string."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from api import openapi, schemas
from api.answers import JSON, Answer, answer, parameters, respond
from api.dependencies import AskedDep, StoreDep
from api.errors import responses
from queries.catalogue import Catalogue
from queries.query import Query
from store.errors import NotFoundError, QueryError

_SIDES = {"left": "circuit", "right": "other"}
COLUMNS = ["name", "folder", "summary", "runs", "href", "params", "returns", "text"]


def router(catalogue: Catalogue) -> APIRouter:
    """A route for the list and one for each query."""
    routes = APIRouter(tags=["queries"])

    @routes.get(
        "/queries",
        summary="The catalogue of queries.",
        response_class=JSON,
        openapi_extra=schemas.plain("Every query.", "columns", "rows", "truncated"),
    )
    async def index(store: StoreDep) -> JSON:
        return JSON(answer(COLUMNS, [_row(query, store.dialect) for query in catalogue]))

    for query in catalogue:
        routes.add_api_route(
            f"/queries/{query.name}",
            _endpoint(query.name),
            methods=["GET"],
            name=query.name,
            operation_id=query.name,
            summary=query.summary,
            response_class=JSON,
            responses=responses(400, 404, 406, 503),
            openapi_extra=openapi.query(query),
        )

    @routes.get("/compare", include_in_schema=False)
    def compare(asked: AskedDep) -> Response:
        """What the explorer's view of two circuits shows, for programs: its address is the view's."""
        given = {_SIDES.get(name, name): value for name, value in parameters(asked.request).items()}
        return respond(asked, lambda limits: Answer(asked.query("compare_circuits", given, limits)))

    @routes.get("/queries/{name}", include_in_schema=False)
    async def unknown(name: str) -> None:
        try:
            catalogue[name]
        except QueryError as error:
            raise NotFoundError(str(error)) from None

    return routes


def _endpoint(name: str) -> Callable[..., Response]:
    def endpoint(asked: AskedDep) -> Response:
        given = parameters(asked.request)
        return respond(asked, lambda limits: Answer(asked.query(name, given, limits)))

    return endpoint


def _row(query: Query, dialect: str) -> list[Any]:
    params = [
        {
            "name": p.name,
            "type": p.type,
            "help": p.help,
            "required": p.required,
            "default": p.default,
            "min": p.min,
            "max": p.max,
            "choices": p.choices,
        }
        for p in query.params.values()
    ]
    href = f"/queries/{query.name}"
    return [query.name, query.folder, query.summary, query.runs, href, params, query.returns, query.texts[dialect]]
