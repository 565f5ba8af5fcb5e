"""Every query of the catalogue at `/queries/{name}`, its parameters in the query string."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request

from api.answers import JSON, answer, of, parameters, run
from api.dependencies import CatalogueDep, SettingsDep, StoreDep
from api.errors import responses
from api.openapi import operation
from queries.catalogue import Catalogue
from queries.query import Query
from store.errors import NotFoundError, QueryError

COLUMNS = ["name", "folder", "summary", "runs", "href", "params", "returns", "text"]


def router(catalogue: Catalogue) -> APIRouter:
    """A route for the list and one for each query."""
    routes = APIRouter(tags=["queries"])

    @routes.get("/queries", summary="The catalogue of queries.", response_class=JSON)
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
            responses=responses(400, 404, 503),
            openapi_extra=operation(query),
        )

    @routes.get("/queries/{name}", include_in_schema=False)
    async def unknown(name: str) -> None:
        try:
            catalogue[name]
        except QueryError as error:
            raise NotFoundError(str(error)) from None

    return routes


def _endpoint(name: str) -> Callable[..., JSON]:
    def endpoint(request: Request, store: StoreDep, catalogue: CatalogueDep, settings: SettingsDep) -> JSON:
        return JSON(of(run(store, catalogue, settings, name, parameters(request))))

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
