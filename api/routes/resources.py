"""Every resource as a list at `/{name}` and, by uid, at `/{name}/{uid}`: one implementation for all of them."""

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import Response

from api.answers import JSON, Answer, parameters, respond
from api.dependencies import Asked, AskedDep
from api.errors import responses
from api.openapi import resource_list, resource_one
from queries import pages
from queries.catalogue import Catalogue
from queries.limits import Limits
from queries.resources import RESOURCES, Resource


def router(catalogue: Catalogue) -> APIRouter:
    routes = APIRouter(responses=responses(400, 404, 406, 503))
    for resource in RESOURCES.values():
        links = partial(_links, resource)
        deeper = partial(_deeper_links, resource, _queries(resource, catalogue))
        add = partial(routes.add_api_route, response_class=JSON, tags=[resource.name])
        add(
            f"/{resource.name}",
            _list(resource, links),
            name=resource.name,
            summary=resource.summary,
            openapi_extra=resource_list(resource),
        )
        add(
            f"/{resource.name}/{{uid}}",
            _one(resource, deeper),
            name=f"one_{resource.label.lower()}",
            summary=f"One of the {resource.name}, with links to what it is related to and what can be asked of it.",
            openapi_extra=resource_one(resource),
        )
    return routes


def _list(resource: Resource, links: Callable[[dict[str, Any]], dict[str, str]]) -> Callable[..., Response]:
    def endpoint(asked: AskedDep) -> Response:
        given = parameters(asked.request)

        def ask(limits: Limits) -> Answer:
            page = pages.page(asked.store, resource, given, limits)
            return Answer(page.rows, links, _next(asked, page.cursor), is_page=True)

        return respond(asked, ask)

    return endpoint


def _one(resource: Resource, links: Callable[[dict[str, Any]], dict[str, str]]) -> Callable[..., Response]:
    def endpoint(asked: AskedDep) -> Response:
        given = parameters(asked.request)

        def ask(limits: Limits) -> Answer:
            return Answer(pages.one(asked.store, resource, given, limits), links)

        return respond(asked, ask)

    return endpoint


def _next(asked: Asked, cursor: str) -> str | None:
    if not cursor:
        return None
    others = [(name, value) for name, value in asked.request.query_params.multi_items() if name != "cursor"]
    return f"{asked.request.url.path}?{urlencode([*others, ('cursor', cursor)])}"


def _links(resource: Resource, row: dict[str, Any]) -> dict[str, str]:
    """Itself; each single node that it is related to; the lists of those of which there may be many."""
    uid = row["uid"]
    links = {"self": f"/{resource.name}/{uid}"}
    for relation in resource.relations:
        if not relation.single:
            links[relation.other] = f"/{relation.other}?{resource.label.lower()}={uid}"
        elif row[relation.name] is not None:
            links[relation.name] = f"/{relation.other}/{row[relation.name]}"
    return links


def _deeper_links(resource: Resource, queries: dict[str, str], row: dict[str, Any]) -> dict[str, str]:
    """Also what can be asked of it."""
    graph = {"graph": f"/circuits/{row['uid']}/graph"} if resource.name == "circuits" else {}
    asked = {name: f"/queries/{name}?{parameter}={row['uid']}" for name, parameter in queries.items()}
    return _links(resource, row) | graph | asked


def _queries(resource: Resource, catalogue: Catalogue) -> dict[str, str]:
    """The queries that want a node of this label and nothing else, with the parameter's name."""
    found = {}
    for query in catalogue:
        required = [parameter for parameter in query.params.values() if parameter.required]
        if len(required) == 1 and required[0].label == resource.label:
            found[query.name] = required[0].name
    return found
