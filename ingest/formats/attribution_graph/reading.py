"""An attribution graph's JSON as a foreign circuit. Links stream: of each, two numbers and the weight are kept."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any, TypeVar

import msgspec

from ingest.formats.assembly import assembled
from ingest.formats.attribution_graph.links import Links
from ingest.formats.attribution_graph.nodes import Nodes
from ingest.formats.attribution_graph.wire import METADATA, PINNED, Q_PARAMS, SUPERNODES
from ingest.formats.foreign import ForeignCircuit, Group, Grouping
from ingest.formats.format import Source, Tables
from ingest.formats.json_stream import JsonStream

S = TypeVar("S", bound=msgspec.Struct)


class Metadata(msgspec.Struct):
    """What is read of it; all else goes along as it is."""

    scan: str
    prompt_tokens: list[str]
    slug: str | None = None
    prompt: str | None = None
    info: dict[str, Any] = {}
    transcoder_list: list[str] = []


class SubGraph(msgspec.Struct):
    """What is read of qParams: the saved sub-graph."""

    pinnedIds: list[str] = []
    supernodes: list[list[str]] = []


def sniff(name: str, head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and any(
        key in head for key in (b'"prompt_tokens"', b'"qParams"', b'"feature_type"', b'"node_id"')
    )


def read(source: Source) -> Iterator[Tables]:
    """The one circuit of a file. Raises ImportFormatError."""
    with source.named():
        yield assembled(foreign_circuit(source))


def foreign_circuit(source: Source) -> ForeignCircuit:
    """Raises ImportFormatError, with the byte or the element where the file is wrong."""
    nodes, links, rest = _parts(source)
    said = _told(source, rest, "metadata", Metadata)
    sub_graph = _told(source, rest, "qParams", SubGraph)
    release = said.info.get("transcoder_set") or " ".join(said.transcoder_list) or None
    table, dictionaries, n_layers = nodes.finish(said.prompt_tokens, None if release is None else str(release))
    more = {key: value for key, value in rest.items() if key not in ("metadata", "qParams")}
    params = {
        "format": "attribution-graph",
        "metadata": METADATA | _without(rest["metadata"], ("scan", "slug", "prompt", "prompt_tokens")),
        "qParams": Q_PARAMS | _without(rest["qParams"], ("pinnedIds", "supernodes")),
        **({"more": more} if more else {}),
        **({"old_error_ids": True} if nodes.old_error_ids else {}),
        **({"influences_as_given": True} if nodes.influences_as_given else {}),
    }
    return ForeignCircuit(
        name=said.slug or PurePath(source.name).name.partition(".")[0],
        method=_method(said.info),
        model={"name": said.scan, "n_layers": n_layers},
        nodes=table,
        edges=links.finish(nodes.of_id, table["layer"].to_numpy()),
        dictionaries=dictionaries,
        prompt=("".join(said.prompt_tokens) if said.prompt is None else said.prompt, said.prompt_tokens),
        circuit={"thresholds": _thresholds(rest["metadata"]), "created_at": _created_at(said.info)},
        run={"params": json.dumps(params, sort_keys=True)},
        groupings=_groupings(source, sub_graph, nodes.of_id),
    )


def _parts(source: Source) -> tuple[Nodes, Links, dict[str, Any]]:
    """Nodes, links, and all else that the file holds."""
    nodes, links = Nodes(source), Links(source)
    rest: dict[str, Any] = {}
    found = set()
    with closing(JsonStream(source)) as stream:
        for key in stream.members():
            found.add(key)
            if key == "nodes":
                for some_nodes in stream.elements(key, Nodes.decode):
                    nodes.add(some_nodes)
            elif key == "links":
                if "nodes" in found:
                    links.expect(list(nodes.of_id))
                for some_links in stream.elements(key, Links.decode):
                    links.add(some_links)
            else:
                rest[key] = stream.value(key)
    for key in ("metadata", "nodes", "links"):
        if key not in found:
            raise source.refuse(f"{key} is missing: an attribution graph has metadata, qParams, nodes and links")
    rest.setdefault("qParams", {})
    return nodes, links, rest


def _told(source: Source, rest: Mapping[str, Any], key: str, kind: type[S]) -> S:
    try:
        return msgspec.convert(rest[key], kind)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at `$")
        raise source.refuse(f"{key}{place.rstrip('`')}: {what}") from error


def _groupings(source: Source, said: SubGraph, of_id: Mapping[str, Sequence[int]]) -> list[Grouping]:
    made = []
    if said.pinnedIds:
        made.append(Grouping(PINNED, [_group(source, "qParams.pinnedIds", PINNED, said.pinnedIds, of_id)]))
    if said.supernodes:
        groups = []
        for number, one in enumerate(said.supernodes):
            place = f"qParams.supernodes[{number}]"
            if not one:
                raise source.refuse(f"{place} is empty; it must begin with its name")
            groups.append(_group(source, place, one[0], one[1:], of_id))
        made.append(Grouping(SUPERNODES, groups))
    return made


def _group(source: Source, place: str, name: str, ids: Sequence[str], of_id: Mapping[str, Sequence[int]]) -> Group:
    for id in ids:
        if id not in of_id:
            raise source.refuse(f"{place}: no node has the node_id {id!r}; remove it there")
    members = [(node, len(of_id[id]) > 1) for id in ids for node in of_id[id]]
    return Group(name, [node for node, _ in members], [ambiguous for _, ambiguous in members])


def _method(info: Mapping[str, Any]) -> str:
    generator = info.get("generator")
    name = generator.get("name") if isinstance(generator, dict) else None
    return str(name) if name else "attribution graph"


def _thresholds(metadata: Mapping[str, Any]) -> str | None:
    pruning = metadata.get("pruning_settings") or {
        key: metadata[key] for key in ("node_threshold",) if metadata.get(key) is not None
    }
    return json.dumps(pruning, sort_keys=True) if pruning else None


def _created_at(info: Mapping[str, Any]) -> str | None:
    moment = info.get("create_time_ms")
    if not isinstance(moment, int) or not 0 <= moment < 2**43:
        return None
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="seconds")


def _without(said: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    return {key: value for key, value in said.items() if key not in keys}
