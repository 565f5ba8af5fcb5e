"""A circuit as a file of another tool holds it, before it has uids. Columns, so that millions of edges are small."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

Row = Mapping[str, Any]
"""Properties of the schema; none has a uid yet."""


class ForeignError(Exception):
    """What is wrong with a circuit, and where in the file: the file itself is named by who knows it."""


_HOOKS = {"attn": "hook_attn_out", "mlp": "hook_mlp_out", "resid": "hook_resid_post"}


def hook_of(site: str, layer: int) -> str:
    """TransformerLens's name of what a block writes at a site."""
    return f"blocks.{layer}.{_HOOKS[site]}"


@dataclass(frozen=True)
class ForeignDictionary:
    """What features are latents of. properties: of a Dictionary; hook, layer and site at least.

    family: what tells it from other dictionaries of the hook, such as the name of its release; '' where the hook is
    enough.
    """

    properties: Row
    family: str = ""


@dataclass(frozen=True)
class Group:
    """A supernode, or the pinned nodes. members: numbers of nodes. ambiguous: whether the file left one open."""

    name: str
    members: Sequence[int]
    ambiguous: Sequence[bool] | None = None


@dataclass(frozen=True)
class Grouping:
    """Groups of a circuit's own nodes. method: what kind of groups these are."""

    method: str
    groups: Sequence[Group]


@dataclass
class ForeignCircuit:
    """One circuit. Nodes and edges are numbered as they stand in their tables, from 0.

    nodes: any columns of CircuitNode but the uid; kind and layer at least. Beside them may stand `part`, which tells
    apart nodes that are alike in kind, layer, index and position (mlp, attn …; null for the residual stream), and
    `dictionary`, a number in `dictionaries`, null where the node is no feature.
    edges: source and target as numbers of nodes, weight, and any other columns of ATTRIBUTES_TO.
    """

    name: str
    method: str
    model: Row
    """Of a Model; its name at least."""
    nodes: pa.Table
    edges: pa.Table
    dictionaries: Sequence[ForeignDictionary] = ()
    prompt: tuple[str, list[str]] | None = None
    """Text and tokens."""
    task: Row | None = None
    """Of a Task."""
    circuit: Row = field(default_factory=dict)
    """Of a Circuit, beside what the rest says."""
    run: Row = field(default_factory=dict)
    """Of a Run: `params` holds, as JSON, what else the file says and an export needs."""
    groupings: Sequence[Grouping] = ()

    def give_edges(self) -> pa.Table:
        """The edges, which are gone from here: they may be too many to be in memory twice."""
        edges, self.edges = self.edges, self.edges.schema.empty_table()
        return edges
