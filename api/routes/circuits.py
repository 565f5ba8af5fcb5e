"""A circuit's graph. Circuits as such are a resource like others."""

from fastapi import APIRouter
from fastapi.responses import Response

from api import media
from api.answers import JSON, of_graph, parameters
from api.caching import conditional
from api.dependencies import AskedDep
from api.errors import responses
from api.openapi import graph
from api.settings import Settings
from queries.catalogue import Catalogue
from queries.subgraph import subgraph


def router(catalogue: Catalogue, settings: Settings) -> APIRouter:
    routes = APIRouter(prefix="/circuits", tags=["circuits"], responses=responses(400, 404, 406, 503))

    @routes.get(
        "/{circuit}/graph",
        summary="The strongest part of a circuit, or what lies around one of its nodes, to draw.",
        response_class=JSON,
        openapi_extra=graph(catalogue, settings.hop_limit),
    )
    def circuit_graph(asked: AskedDep) -> Response:
        form = media.chosen(asked.request, [media.Form.JSON])
        given = parameters(asked.request)

        def make(headers: dict[str, str]) -> Response:
            return JSON(of_graph(subgraph(asked.store, given, asked.limits())), headers=headers)

        return conditional(asked.request, asked.store, asked.settings, form, make)

    return routes
