"""The door for agents: the Model Context Protocol over standard input and output.

Each query of the catalogue is a tool, and each circuit a resource that reads as its strongest part. An agent reads what
it is answered as text, so answers are shorter than those of the service. Nothing can be written.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from mcp import MCPError
from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    TextContent,
    TextResourceContents,
    Tool,
    ToolAnnotations,
)
from pydantic_core import from_json, to_json

from api import answers, schemas
from api.settings import Settings
from queries import pages
from queries.catalogue import catalogue
from queries.limits import Limits
from queries.query import Query
from queries.resources import RESOURCES
from queries.subgraph import subgraph
from store.bundle import program_version
from store.cypher.asking import FreeCypher
from store.database import Rows, Store
from store.errors import CircuitstoreError, QueryError

T = TypeVar("T")

ROWS = 200
"""Rows of one answer: more would be more text than an agent reads well."""
_PAGE = 100
_CYPHER = "cypher"
_PREFIX = "circuitstore://circuits/"
_JSON = "application/json"
_READ_ONLY = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
_INSTRUCTIONS = (
    "A graph of circuits of language models: which features (of sparse autoencoders) act on which, for a prompt or a "
    "task. Begin with `circuits`; give its uids to `top_nodes`, and theirs to `upstream_paths`. `weight` and `effect` "
    "are predicted, `observed` and `observed_effect` measured by changing that alone. `search` finds features, "
    "circuits and models by words. An answer has at most {rows} rows; `truncated` says that there are more."
)


class Agents:
    """What agents may do with an open store."""

    def __init__(self, store: Store, settings: Settings, free: FreeCypher) -> None:
        self._store = store
        self._settings = settings
        self._free = free
        self._catalogue = catalogue().within(settings.hop_limit)
        self.server: Server[Any] = Server(
            "circuitstore",
            version=program_version(),
            instructions=_INSTRUCTIONS.format(rows=ROWS),
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
            on_list_resources=self._list_resources,
            on_list_resource_templates=self._list_templates,
            on_read_resource=self._read_resource,
        )

    async def serve(self) -> None:
        """Until standard input ends."""
        async with stdio_server() as (incoming, outgoing):
            await self.server.run(incoming, outgoing, self.server.create_initialization_options())

    async def _list_tools(self, _: ServerRequestContext, __: PaginatedRequestParams | None) -> ListToolsResult:
        tools = [_tool(query) for query in self._catalogue]
        return ListToolsResult(tools=[*tools, _free_cypher()] if self._settings.cypher else tools)

    async def _call_tool(self, _: ServerRequestContext, params: CallToolRequestParams) -> CallToolResult:
        """A mistake is an answer, too: the agent reads what is wrong and asks again."""
        try:
            rows = await asyncio.to_thread(self._ask, params.name, params.arguments or {})
        except CircuitstoreError as error:
            return CallToolResult(content=[TextContent(text=str(error))], is_error=True)
        text = _text(answers.of(rows))
        return CallToolResult(content=[TextContent(text=text)], structured_content=from_json(text))

    def _ask(self, name: str, given: Mapping[str, Any]) -> Rows:
        if name == _CYPHER and self._settings.cypher:
            return self._ask_freely(given)
        limits = self._limits()
        return self._catalogue.run(self._store, name, given, timeout=limits.left(), row_limit=limits.rows)

    def _ask_freely(self, given: Mapping[str, Any]) -> Rows:
        text, params = given.get("text"), given.get("params", {})
        if not isinstance(text, str) or not isinstance(params, dict) or set(given) - {"text", "params"}:
            raise QueryError("cypher takes a text, and params as an object of what its $names stand for")
        return self._free.ask(text, params, replace(self._settings.cypher_limits, rows=ROWS))

    async def _list_resources(
        self, _: ServerRequestContext, params: PaginatedRequestParams | None
    ) -> ListResourcesResult:
        given = {"limit": _PAGE, "cursor": (params and params.cursor) or ""}
        page = await self._or_error(lambda: pages.page(self._store, RESOURCES["circuits"], given, self._limits()))
        circuits = answers.of(page.rows)["rows"]
        return ListResourcesResult(
            resources=[_resource(circuit) for circuit in circuits], next_cursor=page.cursor or None
        )

    async def _list_templates(
        self, _: ServerRequestContext, __: PaginatedRequestParams | None
    ) -> ListResourceTemplatesResult:
        template = ResourceTemplate(
            name="circuit", uri_template=f"{_PREFIX}{{uid}}", mime_type=_JSON, description="The circuit of that uid."
        )
        return ListResourceTemplatesResult(resource_templates=[template])

    async def _read_resource(self, _: ServerRequestContext, params: ReadResourceRequestParams) -> ReadResourceResult:
        prefix, uid = params.uri[: len(_PREFIX)], params.uri[len(_PREFIX) :]
        if prefix != _PREFIX:
            raise MCPError(INVALID_PARAMS, f"{params.uri!r} is no resource here: they are {_PREFIX}UID")
        said = await self._or_error(partial(self._circuit, uid))
        return ReadResourceResult(contents=[TextResourceContents(uri=params.uri, mime_type=_JSON, text=_text(said))])

    def _circuit(self, uid: str) -> dict[str, Any]:
        limits = self._limits()
        (row,) = answers.of(pages.one(self._store, RESOURCES["circuits"], {"uid": uid}, limits))["rows"]
        part = subgraph(self._store, {"circuit": uid}, limits)
        return {"circuit": row, "shown": part.summary, "nodes": answers.of(part.nodes), "edges": answers.of(part.edges)}

    def _limits(self) -> Limits:
        return Limits(self._settings.time_limit, ROWS, self._settings.hop_limit)

    async def _or_error(self, ask: Callable[[], T]) -> T:
        """Of a resource, a mistake is an error of the protocol."""
        try:
            return await asyncio.to_thread(ask)
        except CircuitstoreError as error:
            raise MCPError(INVALID_PARAMS, str(error)) from None


def serve(store: Store, settings: Settings) -> None:
    """Answers one agent until it is gone."""
    with FreeCypher(store.url, at_once=settings.cypher_at_once, memory=settings.cypher_memory * 2**20) as free:
        asyncio.run(Agents(store, settings, free).serve())


def _tool(query: Query) -> Tool:
    columns = "; ".join(f"{name}: {meaning}" for name, meaning in query.returns.items())
    parameters = {p.name: {**schemas.of_parameter(p), "description": p.help} for p in query.params.values()}
    return Tool(
        name=query.name,
        description=f"{query.summary} Columns: {columns}",
        input_schema={
            "type": "object",
            "properties": parameters,
            "required": [p.name for p in query.params.values() if p.required],
            "additionalProperties": False,
        },
        annotations=_READ_ONLY,
    )


def _free_cypher() -> Tool:
    return Tool(
        name=_CYPHER,
        description="Ask what no other tool asks, in the database's own Cypher. It can only read.",
        input_schema={
            "type": "object",
            "properties": {
                "text": {"type": "string", "description": "The statement."},
                "params": {"type": "object", "description": "What its $names stand for."},
            },
            "required": ["text"],
            "additionalProperties": False,
        },
        annotations=_READ_ONLY,
    )


def _resource(circuit: dict[str, Any]) -> Resource:
    return Resource(
        name=circuit["uid"],
        uri=f"{_PREFIX}{circuit['uid']}",
        description=f"Circuit of a {circuit['aggregation']}: {circuit['n_nodes']} nodes, {circuit['n_edges']} edges.",
        mime_type=_JSON,
    )


def _text(said: dict[str, Any]) -> str:
    return to_json(said, inf_nan_mode="null").decode()
