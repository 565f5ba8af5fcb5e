"""Circuits: the list, one of them, and its graph."""

import time

from fastapi import APIRouter, Request

from api.answers import JSON, of, parameters, run, schema
from api.dependencies import CatalogueDep, SettingsDep, StoreDep
from api.errors import responses
from api.openapi import operation
from queries.catalogue import Catalogue


def router(catalogue: Catalogue) -> APIRouter:
    routes = APIRouter(prefix="/circuits", tags=["circuits"], responses=responses(400, 404, 503))
    circuits, circuit, edges = catalogue["circuits"], catalogue["circuit"], catalogue["graph_edges"]

    @routes.get("", summary=circuits.summary, response_class=JSON, openapi_extra=operation(circuits))
    def list_circuits(request: Request, store: StoreDep, catalogue: CatalogueDep, settings: SettingsDep) -> JSON:
        return JSON(of(run(store, catalogue, settings, "circuits", parameters(request))))

    @routes.get(
        "/{circuit}",
        summary=circuit.summary,
        response_class=JSON,
        openapi_extra=operation(circuit, in_path="circuit"),
    )
    def one_circuit(request: Request, store: StoreDep, catalogue: CatalogueDep, settings: SettingsDep) -> JSON:
        return JSON(of(run(store, catalogue, settings, "circuit", parameters(request))))

    extra = operation(edges, in_path="circuit")
    both = {"nodes": schema(catalogue["top_nodes"]), "edges": schema(edges)}
    extra["responses"]["200"] = {
        "description": "Its strongest nodes, and the edges among them.",
        "content": {"application/json": {"schema": {"type": "object", "required": list(both), "properties": both}}},
    }

    @routes.get(
        "/{circuit}/graph",
        summary="The strongest part of a circuit, to draw.",
        response_class=JSON,
        openapi_extra=extra,
    )
    def circuit_graph(request: Request, store: StoreDep, catalogue: CatalogueDep, settings: SettingsDep) -> JSON:
        arguments = edges.arguments(parameters(request))
        nodes_wanted = {"circuit": arguments["circuit"], "limit": arguments["top_nodes"]}
        deadline = time.monotonic() + settings.time_limit
        nodes = run(store, catalogue, settings, "top_nodes", nodes_wanted, deadline)
        found = run(store, catalogue, settings, "graph_edges", arguments, deadline)
        return JSON({"nodes": of(nodes), "edges": of(found)})

    return routes
