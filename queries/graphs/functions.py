"""Which function makes the rows of a query that runs in Python. Its keywords are parameters of the query."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import signature
from typing import Any

from queries.graphs import labels, subgraph, unions
from queries.graphs.cuts import min_cut, min_node_cut
from queries.graphs.dominators import bottlenecks, dominators
from queries.graphs.motifs import feed_forward_motifs
from queries.graphs.paths import paths_through, strongest_paths
from store.database import Rows

Make = Callable[..., list[list[Any]]]


@dataclass(frozen=True)
class Function:
    """`columns` must be fetched; `reads` makes of them what the function is given."""

    make: Make
    columns: tuple[str, ...]
    reads: Callable[[Rows], Any]

    @property
    def keywords(self) -> list[str]:
        return [name for name, p in signature(self.make).parameters.items() if p.kind is p.KEYWORD_ONLY]

    def __call__(self, fetched: Rows, values: Mapping[str, object]) -> list[list[Any]]:
        return self.make(self.reads(fetched), **{name: values[name] for name in self.keywords})


_ON_GRAPHS: tuple[Make, ...] = (
    bottlenecks, dominators, feed_forward_motifs, min_cut, min_node_cut, paths_through, strongest_paths,
)  # fmt: skip

FUNCTIONS: dict[str, Function] = {
    **{make.__name__: Function(make, subgraph.COLUMNS, subgraph.Subgraph.of) for make in _ON_GRAPHS},
    **dict.fromkeys(
        ("downstream_paths", "paths_between", "upstream_paths"),
        Function(labels.labelled_paths, labels.COLUMNS, lambda rows: rows),
    ),
    "feature_edges": Function(unions.feature_edges, unions.OF_FEATURE, lambda rows: rows),
    "feature_lineage": Function(unions.feature_lineage, unions.LINEAGE, lambda rows: rows),
    "node_edges": Function(unions.node_edges, unions.OF_NODE, lambda rows: rows),
    "recurring_edges": Function(unions.recurring_edges, unions.RECURRING, lambda rows: rows),
}
"""By the query's name."""
