"""Free Cypher. See `store.cypher`."""

from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from starlette.exceptions import HTTPException

from api.access import requires
from api.answers import JSON, of
from api.errors import responses
from api.keys import Scope
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


def router(free: FreeCypher, settings: Settings) -> APIRouter:
    """A route that says, where free Cypher is off, how to turn it on."""
    routes = APIRouter(tags=["cypher"])

    @routes.post(
        "/cypher",
        summary="Ask what no query of the catalogue asks, in the database's own Cypher.",
        response_class=JSON,
        responses=responses(400, 401, 403, 413, 429, 503),
        include_in_schema=settings.cypher,
        dependencies=[requires(Scope.cypher)],
    )
    def cypher(question: Annotated[Question, Body(examples=[_EXAMPLE])]) -> JSON:
        if not settings.cypher:
            raise HTTPException(403, "free Cypher is off: CIRCUITSTORE_CYPHER=true turns it on")
        return JSON(of(free.ask(question.text, question.params, settings.cypher_limits)))

    return routes
