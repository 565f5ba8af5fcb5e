"""Features."""

from fastapi import APIRouter, Request

from api.answers import JSON, of, parameters, run
from api.dependencies import CatalogueDep, SettingsDep, StoreDep
from api.errors import responses
from api.openapi import operation
from queries.catalogue import Catalogue


def router(catalogue: Catalogue) -> APIRouter:
    routes = APIRouter(prefix="/features", tags=["features"], responses=responses(400, 404, 503))
    feature = catalogue["feature"]

    @routes.get(
        "/{feature}",
        summary=feature.summary,
        response_class=JSON,
        openapi_extra=operation(feature, in_path="feature"),
    )
    def one_feature(request: Request, store: StoreDep, catalogue: CatalogueDep, settings: SettingsDep) -> JSON:
        return JSON(of(run(store, catalogue, settings, "feature", parameters(request))))

    return routes
