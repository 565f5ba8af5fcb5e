"""What Neo4j Browser fetches on connecting. It asks from its own origin, with a preflight."""

import re

from fastapi import APIRouter
from fastapi.responses import Response

from api import neo4j_browser
from api.access import are_required
from api.dependencies import Asked, AskedDep

router = APIRouter(prefix="/neo4j", tags=["neo4j browser"])

_ON_THIS_MACHINE = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")


@router.get("/circuits.grass", summary="The style of the graph in Neo4j Browser.", response_class=Response,
            responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}})  # fmt: skip
def grass(asked: AskedDep) -> Response:
    return Response(neo4j_browser.style(), media_type="text/plain", headers=_allowed(asked))


@router.get("/guide.html", summary="A guide for Neo4j Browser: every query as a block to run.",
            response_class=Response,
            responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}})  # fmt: skip
def guide(asked: AskedDep) -> Response:
    store = None if are_required(asked.settings) else asked.store  # the Browser sends no key
    page = neo4j_browser.guide(asked.catalogue, store)
    return Response(page, media_type="text/html", headers=_allowed(asked))


@router.options("/{file}", include_in_schema=False)
def preflight(asked: AskedDep) -> Response:
    return Response(status_code=204, headers=_allowed(asked))


def _allowed(asked: Asked) -> dict[str, str]:
    """The headers that let a page of this machine, or of an origin that is named, read the answer."""
    origin = asked.request.headers.get("origin", "")
    if not _ON_THIS_MACHINE.fullmatch(origin) and origin not in asked.settings.named_browsers:
        return {"Vary": "Origin"}
    wanted = asked.request.headers.get("access-control-request-headers", "")
    return {
        "Vary": "Origin",
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "GET, OPTIONS",
    } | ({"Access-Control-Allow-Headers": wanted} if re.fullmatch(r"[\w, -]+", wanted) else {})
