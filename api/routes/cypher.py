"""Free Cypher. See `store.cypher`."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from starlette.exceptions import HTTPException

from api import media
from api.access import requires
from api.answers import JSON, of
from api.errors import responses
from api.keys import Scope
from api.openapi import free_cypher
from api.settings import Settings
from store.cypher.asking import FreeCypher

_EXAMPLE = {
    "text": "MATCH (c:Circuit) WHERE c.n_nodes >= $n RETURN c.uid AS uid, c.n_nodes AS n ORDER BY n DESC LIMIT 5",
    "params": {"n": 1},
}


class Question(BaseModel):
    """A statement that only reads. params: what its $names stand for."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=20_000)
    params: dict[str, JsonValue] = {}


async def _is_json(request: Request) -> None:
    if "json" not in request.headers.get("content-type", ""):
        raise HTTPException(415, "send the body as JSON, with the header Content-Type: application/json (curl -H)")


def router(free: FreeCypher, settings: Settings) -> APIRouter:
    """A route that says, where free Cypher is off, how to turn it on."""
    routes = APIRouter(tags=["cypher"])
    if not settings.cypher:

        @routes.post("/cypher", include_in_schema=False)
        async def off() -> None:
            raise HTTPException(403, "free Cypher is off: CIRCUITSTORE_CYPHER=true turns it on")

        return routes

    @routes.post(
        "/cypher",
        summary="Ask what no query of the catalogue asks, in the database's own Cypher.",
        response_class=JSON,
        responses=responses(400, 401, 403, 406, 413, 415, 429, 503),
        dependencies=[requires(Scope.cypher), Depends(_is_json)],
        openapi_extra=free_cypher(),
    )
    def cypher(request: Request, question: Annotated[Question, Body(examples=[_EXAMPLE])]) -> Response:
        form = media.chosen(request)
        rows = free.ask(question.text, question.params, settings.cypher_limits)
        return JSON(of(rows)) if form is media.Form.JSON else media.render(rows, form, {})

    return routes
