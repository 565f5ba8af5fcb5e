"""A real client of the Model Context Protocol, over the program's standard input and output."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from mcp import Client, MCPError, StdioServerParameters
from mcp_types import TextContent, TextResourceContents

from api import answers
from api.agents import ROWS
from queries.catalogue import catalogue
from store.database import Store

T = TypeVar("T")


def connected(url: str, use: Callable[[Client], Awaitable[T]], mode: str = "auto", **settings: str) -> T:
    """What came of using a client of `circuitstore mcp`."""
    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "circuitstore", "--store", url, "mcp"],
        env={**os.environ, **settings},
    )

    async def run() -> T:
        async with Client(command, mode=mode) as client:
            return await use(client)

    return asyncio.run(run())


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_every_query_is_a_tool_and_its_answer_is_the_catalogues(world: Store, world_url: str, mode: str) -> None:
    async def use(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert list(tools) == [query.name for query in catalogue()]
        for query in catalogue():
            tool, given = tools[query.name], catalogue().example(world, query.name)
            assert tool.description is not None
            assert tool.description.startswith(query.summary)
            assert list(tool.input_schema["properties"]) == list(query.params)
            assert tool.input_schema["properties"].get("max_hops", {}).get("maximum", 0) <= 8
            result = await client.call_tool(query.name, dict(given))
            assert not result.is_error
            wanted = answers.of(catalogue().run(world, query.name, given, row_limit=ROWS))
            assert result.structured_content == json.loads(bytes(answers.JSON(wanted).body))
            assert isinstance(result.content[0], TextContent)
            assert json.loads(result.content[0].text) == result.structured_content

    connected(world_url, use, mode)


def test_every_circuit_is_a_resource(world: Store, world_url: str) -> None:
    async def use(client: Client) -> None:
        found, cursor = [], None
        while True:
            page = await client.list_resources(cursor=cursor)
            found += page.resources
            if (cursor := page.next_cursor) is None:
                break
        uids = [row[0] for row in world.run("MATCH (c:Circuit) RETURN c.uid ORDER BY c.uid").rows]
        assert sorted(resource.name for resource in found) == uids
        for resource in found:
            (content,) = (await client.read_resource(resource.uri)).contents
            assert isinstance(content, TextResourceContents)
            said = json.loads(content.text)
            assert said["circuit"]["uid"] == resource.name
            assert f"of {said['circuit']['n_nodes']} nodes" in said["shown"]
            nodes = {node["uid"] for node in said["nodes"]["rows"]}
            assert {edge[end] for edge in said["edges"]["rows"] for end in ("source", "target")} <= nodes
        (template,) = (await client.list_resource_templates()).resource_templates
        assert template.uri_template == "circuitstore://circuits/{uid}"

    connected(world_url, use)


@pytest.mark.parametrize("world_url", ["ladybug"], indirect=True)
def test_a_mistake_is_told_and_the_next_call_is_answered(world_url: str) -> None:
    async def use(client: Client) -> None:
        for name, given, why in (
            ("upstream_pathz", {}, "did you mean upstream_paths"),
            ("circuit", {}, "circuit"),
            ("circuit", {"circuit": "none:of:them"}, "no Circuit 'none:of:them' is stored"),
            ("circuit", {"circuit": 3}, "circuit"),
            ("circuits", {"limit": 0}, "limit"),
            ("circuits", {"limti": 1}, "did you mean limit"),
            ("cypher", {"text": "RETURN 1"}, "no query 'cypher'"),
        ):
            result = await client.call_tool(name, given)
            assert result.is_error, name
            assert isinstance(result.content[0], TextContent)
            assert why in result.content[0].text
        for uri in ("circuitstore://circuits/none", "file:///etc/passwd", "circuitstore://circuits/"):
            with pytest.raises(MCPError, match=r"none|no resource here|uid"):
                await client.read_resource(uri)
        with pytest.raises(MCPError, match="cursor"):
            await client.list_resources(cursor="nonsense")
        assert not (await client.call_tool("circuits", {"limit": 1})).is_error

    connected(world_url, use)


def test_free_cypher_is_a_tool_where_it_is_turned_on_and_only_reads(world: Store, world_url: str) -> None:
    before = world.digest()

    async def use(client: Client) -> None:
        assert "cypher" in [tool.name for tool in (await client.list_tools()).tools]
        asked = {"text": "MATCH (c:Circuit) RETURN count(c) + $n AS n", "params": {"n": 1}}
        result = await client.call_tool("cypher", asked)
        assert result.structured_content == {
            "columns": ["n"],
            "rows": [{"n": len(world.run("MATCH (c:Circuit) RETURN c.uid").rows) + 1}],
            "truncated": False,
        }
        for wrong in ({"text": "MATCH (n) DETACH DELETE n"}, {"text": 1}, {"text": "RETURN 1", "more": 1}, {}):
            assert (await client.call_tool("cypher", wrong)).is_error
        many = await client.call_tool("cypher", {"text": "UNWIND range(1, 1000) AS n RETURN n"})
        assert many.structured_content is not None
        assert (len(many.structured_content["rows"]), many.structured_content["truncated"]) == (ROWS, True)

    connected(world_url, use, CIRCUITSTORE_CYPHER="true")
    assert world.digest() == before
